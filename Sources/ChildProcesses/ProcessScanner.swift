// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc
import Synchronization

/// Scans /proc for all who ask, one scan at a time.
///
/// Requests that come during a scan share the next one, so fifty children that end at once cost a few scans, not fifty
/// each. A scan always begins after the request for it.
final class ProcessScanner: Sendable {
    typealias Handler = @Sendable ([ProcessEntry]) -> Void

    static let shared = ProcessScanner()

    private struct State {
        var waiting: [Handler] = []
        var isScanning = false
    }
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "lodge.process-table")

    /// Calls `handler` with a scan, on a queue that it must not block.
    func scan(_ handler: @escaping Handler) {
        let mustStart = state.withLock { state in
            state.waiting.append(handler)
            defer { state.isScanning = true }
            return !state.isScanning
        }
        if mustStart { queue.async { [self] in scanForAll() } }
    }

    private func scanForAll() {
        while true {
            let handlers = state.withLock { state in
                defer { state.waiting = [] }
                state.isScanning = !state.waiting.isEmpty
                return state.waiting
            }
            if handlers.isEmpty { return }
            let snapshot = ProcessTable.snapshot()
            for handler in handlers { handler(snapshot) }
        }
    }
}

/// Signals processes that are not our own children.
enum StrangerSignal {
    /// Sends a signal to exactly the process that a scan saw; does nothing if its pid is another's by now.
    static func send(_ signal: Int32, to identity: ProcessEntry.Identity) {
        let number = cps_pidfd_open(identity.pid)
        if number >= 0 {
            let pidfd = OwnedDescriptor(owning: number)
            // The pidfd holds on to one process; that it is the right one is known once its start time matches.
            guard ProcessTable.entry(of: identity.pid)?.identity == identity else { return }
            cps_pidfd_signal(pidfd.number, signal)
        } else if number != -ESRCH, ProcessTable.entry(of: identity.pid)?.identity == identity {
            // Without a free descriptor the race for the pid is the smaller evil.
            kill(identity.pid, signal)
        }
    }
}
