// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What the operating system answered instead of doing what it was asked.
package struct SystemError: Error, Hashable, CustomStringConvertible {
    package var call: String
    package var code: Int32

    package init(_ call: String, _ code: Int32) {
        self.call = call
        self.code = code
    }

    package var description: String {
        // strerror answers a string that lives until the next call on this thread; it is copied at once.
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return "\(call): \(reason)"
    }
}

/// The number of an open file, pipe or socket. It does not own it: `close` is the caller's duty.
package struct Descriptor: Hashable, Sendable {
    package static let standardInput = Descriptor(0)
    package static let standardOutput = Descriptor(1)
    package static let standardError = Descriptor(2)

    package let number: Int32

    package init(_ number: Int32) { self.number = number }

    /// Opens a file for reading.
    package init(reading path: String) throws(SystemError) {
        let opened = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else { throw SystemError("open \(path)", errno) }
        self.init(opened)
    }

    /// Reads up to `limit` bytes behind those of `buffer`, waiting for the first; answers how many, 0 at the end.
    package func read(atMost limit: Int, into buffer: inout [UInt8]) throws(SystemError) -> Int {
        var outcome = 0
        var failure: Int32 = 0
        // The array is given `limit` bytes of room and keeps as many as were written.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { room, count in
            repeat {
                outcome = unsafe Glibc.read(number, room.baseAddress, limit)
                failure = errno
                if outcome < 0, failure == EAGAIN { wait(for: Int16(POLLIN)) }
            } while outcome < 0 && (failure == EINTR || failure == EAGAIN)
            count = max(outcome, 0)
        }
        guard outcome >= 0 else { throw SystemError("read", failure) }
        buffer += bytes
        return outcome
    }

    /// Writes every byte, waiting for room when there is none.
    package func write(_ bytes: [UInt8]) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            // Only bytes from `written` to the end of the array are read.
            let outcome = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.write(number, $0.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if outcome >= 0 {
                written += outcome
            } else if errno == EAGAIN {
                wait(for: Int16(POLLOUT))
            } else if errno != EINTR {
                throw SystemError("write", errno)
            }
        }
    }

    /// Writes a text; what cannot be written is dropped, as befits last words on a standard error nobody reads.
    package func print(_ text: String) {
        try? write(Array("\(text)\n".utf8))
    }

    package func close() {
        _ = Glibc.close(number)
    }

    /// Whether something can be read within that time; the end of the input counts.
    package func hasInput(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&entry, 1, milliseconds) > 0
    }

    /// Reads up to `limit` bytes at a place of a file; fewer at its end.
    package func read(at offset: UInt64, atMost limit: Int) throws(SystemError) -> [UInt8] {
        var failure: Int32 = 0
        // The array is given `limit` bytes of room and keeps as many as were written.
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            let outcome = unsafe pread(number, buffer.baseAddress, limit, off_t(truncatingIfNeeded: offset))
            if outcome < 0 { failure = errno }
            count = max(outcome, 0)
        }
        guard failure == 0 else { throw SystemError("pread", failure) }
        return bytes
    }

    private func wait(for events: Int16) {
        var entry = pollfd(fd: number, events: events, revents: 0)
        _ = unsafe poll(&entry, 1, -1)
    }
}

extension [UInt8] {
    /// The first `limit` bytes of a file.
    package init(contentsOf path: String, limit: Int = .max) throws(SystemError) {
        let file = try Descriptor(reading: path)
        defer { file.close() }
        self = []
        while count < limit, try file.read(atMost: Swift.min(65_536, limit - count), into: &self) > 0 {}
    }
}
