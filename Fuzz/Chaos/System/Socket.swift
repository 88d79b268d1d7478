// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// A TCP connection to this machine that never blocks once it stands, and that can be ended with violence.
///
/// It does not own its descriptor: whoever holds it calls ``close()`` or ``reset()``, once.
struct Socket {
    enum Received: Equatable {
        case bytes
        case nothing
        /// The other side sends nothing more.
        case end
    }

    let descriptor: Descriptor

    /// Connects to a port of 127.0.0.1.
    init(port: UInt16) throws(SystemError) {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_INET, kind, 0)
        guard number >= 0 else { throw SystemError("socket", errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = INADDR_LOOPBACK.bigEndian
        // The address is a local, read as the general type that connect wants, with its own size.
        let outcome = unsafe withUnsafePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else {
            let code = errno
            _ = Glibc.close(number)
            throw SystemError("connect", code)
        }
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
        // Each request is one write; none may wait for the acknowledgement of the one before.
        var on: Int32 = 1
        unsafe setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        descriptor = Descriptor(number)
    }

    /// Sends what there is room for, from that place on; answers how many bytes went.
    func send(_ bytes: [UInt8], from start: Int) throws(SystemError) -> Int {
        guard start < bytes.count else { return 0 }
        while true {
            // Only bytes from `start` to the end of the array are read.
            let count = unsafe bytes.withUnsafeBytes {
                unsafe Glibc.send(descriptor.number, $0.baseAddress?.advanced(by: start), bytes.count - start, 0)
            }
            if count >= 0 { return count }
            if errno == EAGAIN { return 0 }
            guard errno == EINTR else { throw SystemError("send", errno) }
        }
    }

    /// Appends what has come, 16 KiB at most.
    func receive(into buffer: inout [UInt8]) throws(SystemError) -> Received {
        var failure: Int32 = 0
        // The room lives until the closure ends and is as long as recv is told; what was written of it is copied.
        let count = unsafe withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { room in
            var count = 0
            repeat {
                count = unsafe recv(descriptor.number, room.baseAddress, room.count, 0)
                failure = errno
            } while count < 0 && failure == EINTR
            if count > 0 { unsafe buffer.append(contentsOf: room[..<count]) }
            return count
        }
        if count > 0 { return .bytes }
        if count == 0 { return .end }
        guard failure == EAGAIN else { throw SystemError("recv", failure) }
        return .nothing
    }

    /// Whether something happened of what is asked for, within that time.
    func wait(for events: Int32, within limit: Duration) -> Bool {
        var entry = pollfd(fd: descriptor.number, events: Int16(events), revents: 0)
        return unsafe poll(&entry, 1, limit.wholeMilliseconds) > 0
    }

    /// Says that nothing more is sent, and goes on reading.
    func finishSending() { _ = shutdown(descriptor.number, Int32(SHUT_WR)) }

    func close() { descriptor.close() }

    /// Ends the connection by RST: what is under way in either direction is lost.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        unsafe setsockopt(descriptor.number, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

extension Duration {
    /// Rounded up, so that a wait never ends just before its time; for poll(2).
    var wholeMilliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Int32(clamping: seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
