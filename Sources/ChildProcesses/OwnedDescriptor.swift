// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Glibc

/// A file descriptor with exactly one owner, closed when that owner lets go of it.
///
/// Every failure path of a spawn closes what it opened because of this type, without a line that says so.
struct OwnedDescriptor: ~Copyable, Sendable {
    let number: Int32

    init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// Gives the ownership to the caller, who closes it.
    consuming func release() -> Int32 {
        let number = number
        discard self
        return number
    }

    /// Answers a duplicate that is closed on its own.
    func duplicate() -> OwnedDescriptor? {
        let copy = cps_duplicate(number)
        return copy < 0 ? nil : OwnedDescriptor(owning: copy)
    }

    func makeNonblocking() { cps_set_nonblocking(number) }
}

/// Both ends of a new pipe, each close-on-exec and 3 or higher.
struct OwnedPipe: ~Copyable {
    var reading: OwnedDescriptor
    var writing: OwnedDescriptor

    /// Answers nil with errno when no descriptor is free.
    init?(error: inout Int32) {
        unsafe self.init(error: &error) { unsafe cps_pipe($0) }
    }

    /// A connected pair of sockets instead of a pipe: writing to one whose peer is gone can be done without SIGPIPE.
    static func socketPair(error: inout Int32) -> OwnedPipe? {
        unsafe OwnedPipe(error: &error) { unsafe cps_socket_pair($0) }
    }

    private init?(error: inout Int32, make: (UnsafeMutablePointer<Int32>) -> Int32) {
        var ends: [Int32] = [-1, -1]
        // Sound: the function writes exactly two numbers into an array of two.
        let result = unsafe ends.withUnsafeMutableBufferPointer { buffer in
            unsafe buffer.baseAddress.map { unsafe make($0) } ?? -EINVAL
        }
        guard result == 0 else {
            error = -result
            return nil
        }
        reading = OwnedDescriptor(owning: ends[0])
        writing = OwnedDescriptor(owning: ends[1])
    }
}
