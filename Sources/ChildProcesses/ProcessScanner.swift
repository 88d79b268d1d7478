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

    /// The tree of a child that Lodge has now.
    struct Tree: Sendable {
        var root: pid_t
        var leadsGroup: Bool
        var marker: String
    }

    private struct State {
        var waiting: [(pipes: ChildPipes?, handler: Handler)] = []
        var isScanning = false
        /// By marker: all children of now, so that a search for the pipes of one leaves the others alone.
        var trees: [String: Tree] = [:]

        var allTrees: ProcessTree {
            ProcessTree(
                markers: Set(trees.keys), groups: Set(trees.values.filter(\.leadsGroup).map(\.root)),
                roots: Set(trees.values.map(\.root)), groupsEnd: nil)
        }
    }
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "lodge.process-table")

    func add(_ tree: Tree) { state.withLock { $0.trees[tree.marker] = tree } }

    /// Call it before the root is collected: later its pid can be anybody's.
    func removeTree(marker: String) { state.withLock { _ = $0.trees.removeValue(forKey: marker) } }

    /// Calls `handler` with a scan, on a queue that it must not block.
    ///
    /// - Parameter pipes: whose holders the scan has to show; nil if it is enough to know the others of the tree.
    func scan(seeking pipes: ChildPipes? = nil, _ handler: @escaping Handler) {
        let mustStart = state.withLock { state in
            state.waiting.append((pipes, handler))
            defer { state.isScanning = true }
            return !state.isScanning
        }
        if mustStart { queue.async { [self] in scanForAll() } }
    }

    private func scanForAll() {
        while true {
            let (waiting, trees) = state.withLock { state in
                defer { state.waiting = [] }
                state.isScanning = !state.waiting.isEmpty
                return (state.waiting, state.allTrees)
            }
            if waiting.isEmpty { return }
            var snapshot = ProcessTable.snapshot()
            var search = PipeSearch(waiting.compactMap(\.pipes), besides: trees)
            search.complete(&snapshot)
            for (_, handler) in waiting { handler(snapshot) }
        }
    }
}

/// Signals processes that are not our own children.
enum StrangerSignal {
    /// Sends a signal to exactly the process that a scan saw; does nothing if its pid is another's by now.
    ///
    /// Whether it still holds the child's pipes is not asked again: what belonged once belongs for good, and a process
    /// that closes them on SIGTERM must still get its SIGKILL.
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
