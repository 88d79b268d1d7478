// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The three descriptors that every program takes for granted, also where its caller closed them.
enum StandardDescriptors {
    /// Opens what is closed of 0, 1 and 2 on /dev/null.
    ///
    /// Otherwise the next socket or pipe would get that number, and the log would be written into it.
    static func fill() {
        for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
            // The lowest free number is the one that was found closed. Without /dev/null nothing better can be done.
            // Sound: the text lives until the call returns.
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }
}
