// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc

extension ChildProcess {
    /// Stops Lodge whenever the child stops by itself, and continues the child when Lodge is continued.
    ///
    /// For an agent on a terminal in Lodge's own group. A full-screen agent stops itself, often without its group, when
    /// Ctrl-Z is typed; the shell watches Lodge, so Lodge has to stop too for the prompt to come back.
    /// - Parameter stop: stops this process, and returns once it is continued. The default stops the calling thread, so
    ///   that it does not go on before the others have stopped.
    func followStops(_ stop: @escaping @Sendable () -> Void = { raise(SIGSTOP) }) {
        guard let pidfd = handle.duplicatePidfd() else { return }
        // A thread of its own, since only a blocking wait tells of stops; it ends with the child.
        DispatchQueue(label: "lodge.child.stops").async { [self] in
            defer { close(pidfd) }
            var change = cps_change()
            // Sound: `change` is a local that the call fills.
            while unsafe cps_peek_exit(pidfd, 1, 1, &change) == 1, change.stopped != 0 {
                // Ctrl-Z stops the whole group, Lodge too, but a moment later. When Lodge goes on, so does the child.
                Self.pause(milliseconds: 30)
                // Sound: as above.
                guard unsafe cps_peek_exit(pidfd, 0, 1, &change) == 1, change.stopped != 0 else { continue }
                cps_collect_stop(pidfd)
                stop()
                send(SIGCONT)
            }
        }
    }

    /// As `followStops`, for a program behind wrappers, which are not stopped with it and do not tell.
    ///
    /// No event tells of the stop of a process that is not one's own child, so it is looked for four times a second.
    /// One that is found twice in a row counts: Ctrl-Z has stopped Lodge by then.
    func followStops(
        behind wrappers: Int, seenBefore: ProcessEntry.Identity? = nil,
        _ stop: @escaping @Sendable () -> Void = { raise(SIGSTOP) }
    ) {
        queue.asyncAfter(deadline: .now() + .milliseconds(250)) { [self] in
            guard exitStatus == nil else { return }
            var stopped = ProcessTable.onlyDescendant(of: pid, generations: wrappers).flatMap {
                $0.isStopped ? $0 : nil
            }
            if let program = stopped, program.identity == seenBefore {
                stop()
                StrangerSignal.send(SIGCONT, to: program.identity)
                stopped = nil
            }
            followStops(behind: wrappers, seenBefore: stopped?.identity, stop)
        }
    }

    private static func pause(milliseconds: Int) {
        var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
        // Sound: `time` is a local. That a signal may cut the pause short is no harm.
        unsafe nanosleep(&time, nil)
    }
}
