// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc

extension ChildProcess {
    /// Stops Lodge whenever the child stops by itself, and continues the child when Lodge is continued.
    ///
    /// For an agent on a terminal in Lodge's own group. A full-screen agent stops itself, often without its group, when
    /// Ctrl-Z is typed; the shell watches Lodge, so Lodge has to stop too for the prompt to come back.
    /// - Parameter stop: stops this process, and returns once it is continued.
    func followStops(_ stop: @escaping @Sendable () -> Void = { kill(getpid(), SIGSTOP) }) {
        guard let pidfd = handle.duplicatePidfd() else { return }
        // A thread of its own, since only a blocking wait tells of stops; it ends with the child.
        DispatchQueue(label: "lodge.child.stops").async { [self] in
            defer { close(pidfd) }
            var change = cps_change()
            // Sound: `change` is a local that the call fills.
            while unsafe cps_peek_exit(pidfd, 1, 1, &change) == 1, change.stopped != 0 {
                cps_collect_stop(pidfd)
                stop()
                send(SIGCONT)
            }
        }
    }
}
