// SPDX-License-Identifier: Apache-2.0

import Glibc

extension ProcessState {
    /// Starts this program again with other arguments, an empty environment and the same open files.
    ///
    /// The child is not waited for; answers its process id.
    package static func spawnItself(_ arguments: [String]) throws(SystemError) -> Int {
        // Copies that live until the defer; posix_spawn reads them before it returns. The list ends with nil.
        var words = unsafe ([CommandLine.arguments[0]] + arguments).map { unsafe strdup($0) }
        unsafe words.append(nil)
        defer {
            for place in unsafe words.indices { unsafe free(words[place]) }
        }
        var child: pid_t = 0
        let code = unsafe posix_spawn(&child, "/proc/self/exe", nil, nil, words, nil)
        guard code == 0 else { throw SystemError("posix_spawn", code) }
        return Int(child)
    }

    /// Waits for the end of a child.
    package static func wait(for child: Int) {
        var status: Int32 = 0
        while unsafe waitpid(pid_t(child), &status, 0) < 0, errno == EINTR {}
    }

    /// Leaves the session and the process group, so that a signal to the group does not arrive.
    package static func leaveSession() { _ = setsid() }
}
