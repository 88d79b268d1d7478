// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What a fixture knows of, and does to, the process it runs in.
package enum ProcessState {
    package static var identifier: Int { Int(getpid()) }
    package static var parentIdentifier: Int { Int(getppid()) }

    package static var workingDirectory: String {
        // The buffer is as long as getcwd is told, and getcwd ends what it writes with a zero.
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let found = unsafe buffer.withUnsafeMutableBufferPointer { unsafe getcwd($0.baseAddress, $0.count) != nil }
        guard found else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The environment the process was started with, read from `/proc`; names in the order they were given.
    package static var environment: [(name: String, value: String)] {
        let block = (try? [UInt8](contentsOf: "/proc/self/environ")) ?? []
        return block.split(separator: 0).map { entry in
            let parts = entry.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
            return (String(decoding: parts[0], as: UTF8.self), value)
        }
    }

    package static func environmentVariable(_ name: String) -> String? {
        // The answer is copied at once, and no fixture changes its environment.
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// Makes a write to a pipe that nobody reads fail instead of ending the process.
    package static func ignoreBrokenPipes() { ignore(SIGPIPE) }

    package static func ignore(_ signalNumber: Int32) {
        _ = signal(signalNumber, SIG_IGN)
    }

    /// Ends the process at once, without a word; what is buffered nowhere is lost nowhere.
    package static func exit(_ status: Int) -> Never { _exit(Int32(truncatingIfNeeded: status)) }

    /// Ends the process as the kernel does it for want of memory.
    package static func killItself() -> Never {
        _ = kill(getpid(), SIGKILL)
        sleepForever()
    }

    /// Never returns; the process is ended from outside.
    package static func sleepForever() -> Never {
        while true { pause() }
    }

    /// Blocks the calling thread.
    package static func sleep(milliseconds: Int) {
        usleep(UInt32(clamping: milliseconds * 1_000))
    }

    /// Seconds since 1970 as `2025-11-25T10:30:00Z` (ISO 8601).
    package static func timestamp(_ seconds: Int = time(nil)) -> String {
        var moment = seconds
        var fields = unsafe tm()
        // Both arguments are locals that outlive the calls; strftime is told how long the buffer is.
        unsafe gmtime_r(&moment, &fields)
        var buffer = [CChar](repeating: 0, count: 32)
        let length = unsafe strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &fields)
        return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
