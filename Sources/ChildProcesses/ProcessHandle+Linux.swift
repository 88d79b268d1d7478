// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc
import Synchronization

/// One process that Lodge started, held by its pidfd.
///
/// The exit is seen first and the zombie collected later, by `collect()`. In between the pid, and with it the number of
/// the process group, cannot be given to another process, so signals to the group stay safe while leftovers are killed.
final class ProcessHandle: Sendable {
    let pid: pid_t
    /// False when the process shares Lodge's own group, which must never be signalled as a whole.
    let leadsGroup: Bool

    /// Nil once collected.
    private let pidfd: Mutex<OwnedDescriptor?>

    init(pid: pid_t, pidfd: consuming OwnedDescriptor, leadsGroup: Bool) {
        self.pid = pid
        self.leadsGroup = leadsGroup
        self.pidfd = Mutex(pidfd)
    }

    /// Calls `onExit` once on `queue` when the process has ended. Call it once, and `collect()` not before `onExit`.
    func watchExit(on queue: DispatchQueue, onExit: @escaping @Sendable (ExitStatus) -> Void) {
        guard let number = pidfd.withLock({ $0?.number }) else { return }
        ReadinessLoop.shared.add(number, queue: queue) { [self] token in
            guard let status = peekExit(number) else { return ReadinessLoop.shared.arm(token) }
            // Whoever removes it tells of the exit, so that it is told once.
            if ReadinessLoop.shared.remove(token) { onExit(status) }
        }
    }

    /// Sends a signal to this process alone; nothing happens once it has ended.
    func signal(_ signal: Int32) {
        pidfd.withLock { pidfd in
            guard let number = pidfd?.number else { return }
            cps_pidfd_signal(number, signal)
        }
    }

    /// Sends a signal to the whole group; only for a process that leads one.
    func signalGroup(_ signal: Int32) {
        guard leadsGroup else { return }
        pidfd.withLock { pidfd in
            // Under the lock, so that the group's number cannot be freed by `collect()` in between.
            guard pidfd != nil else { return }
            kill(-pid, signal)
        }
    }

    /// Collects the zombie. Afterwards the pid means nothing.
    func collect() {
        pidfd.withLock { pidfd in
            if let number = pidfd?.number { cps_collect_exit(number) }
            pidfd = nil
        }
    }

    /// Answers a pidfd of the caller's own, or nil when the process was collected or no descriptor is free.
    func duplicatePidfd() -> Int32? {
        pidfd.withLock { $0?.duplicate()?.release() }
    }

    private func peekExit(_ pidfd: Int32) -> ExitStatus? {
        var change = cps_change()
        // Sound: `change` is a local that the call fills.
        switch unsafe cps_peek_exit(pidfd, 0, 0, &change) {
        case 0: return nil
        case 1: return change.exited != 0 ? .exited(change.status) : .signaled(change.status)
        default: return .unknown
        }
    }
}
