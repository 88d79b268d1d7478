// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// Carries out the sweep of one child's tree: scans, signals, and tells when nothing is left.
///
/// It does not collect the child and starts nothing. While the child runs and nobody wants it killed, it does nothing.
final class TreeWatch: Sendable {
    /// What it tells its owner, on the child's queue.
    enum Event: Sendable {
        case gone
        /// These processes outlived SIGKILL; `gone` can still follow.
        case stuck([pid_t])
    }

    private struct State {
        var sweep: TreeSweep
        var rootHasExited = false
        var isScanning = false
    }
    private let state: Mutex<State>
    private let root: ProcessHandle
    private let marker: String
    private let pipes: ChildPipes?
    private let queue: DispatchQueue
    private let scanner: ProcessScanner

    init(
        root: ProcessHandle, marker: String, pipes: ChildPipes?, queue: DispatchQueue,
        scanner: ProcessScanner = .shared
    ) {
        let tree = ProcessTree(root: root.pid, leadsGroup: root.leadsGroup, marker: marker, pipes: pipes)
        state = Mutex(State(sweep: TreeSweep(tree)))
        self.root = root
        self.marker = marker
        self.pipes = pipes
        self.queue = queue
        self.scanner = scanner
        scanner.add(.init(root: root.pid, leadsGroup: root.leadsGroup, marker: marker))
    }

    /// Looks once at who belongs to the tree while parents still tell, then calls back on the queue.
    func look(_ done: @escaping @Sendable () -> Void) {
        scanner.scan(seeking: pipes) { [self] snapshot in
            queue.async { [self] in
                state.withLock { state in
                    // Only the memory of the members is wanted here, so what would be done next is left undone.
                    if state.sweep.mode == .observing, !state.rootHasExited {
                        _ = state.sweep.observe(snapshot, rootHasExited: false, at: MonotonicTime.now())
                    }
                }
                done()
            }
        }
    }

    /// Sends a signal once to every process of the tree that is in a group; does nothing once the child has ended.
    func signal(_ signal: Int32, inGroup group: pid_t) {
        scanner.scan { [self] snapshot in
            queue.async { [self] in
                let members = state.withLock { $0.rootHasExited ? [] : $0.sweep.members(in: snapshot) }
                for member in members where member.group == group { send(signal, to: member.identity) }
            }
        }
    }

    /// The child has ended; from now on its tree is watched, and its leftovers are ended if `grace` is given.
    func rootExited(leftoverGrace grace: Duration?, report: @escaping @Sendable (Event) -> Void) {
        change(report: report) { state in
            state.rootHasExited = true
            if let grace { state.sweep.terminate(grace: grace, at: MonotonicTime.now()) }
        }
    }

    /// Kills the whole tree, the child too if it still runs.
    func kill(report: @escaping @Sendable (Event) -> Void) {
        change(report: report) { $0.sweep.kill(at: MonotonicTime.now()) }
    }

    private func change(report: @escaping @Sendable (Event) -> Void, _ body: (inout State) -> Void) {
        let mustStart = state.withLock { state in
            body(&state)
            defer { state.isScanning = true }
            return !state.isScanning
        }
        if mustStart { scan(report) }
    }

    private func scan(_ report: @escaping @Sendable (Event) -> Void) {
        scanner.scan(seeking: pipes) { [self] snapshot in queue.async { [self] in take(snapshot, report) } }
    }

    private func take(_ snapshot: [ProcessEntry], _ report: @escaping @Sendable (Event) -> Void) {
        let actions = state.withLock { state in
            state.sweep.observe(snapshot, rootHasExited: state.rootHasExited, at: MonotonicTime.now())
        }
        for action in actions {
            switch action {
            case .signal(let identity, let signal): send(signal, to: identity)
            case .scan(let delay):
                queue.asyncAfter(deadline: .now() + delay.dispatchInterval) { [self] in scan(report) }
            case .gone:
                scanner.removeTree(marker: marker)
                report(.gone)
            case .stuck(let pids): report(.stuck(pids))
            }
        }
    }

    private func send(_ signal: Int32, to identity: ProcessEntry.Identity) {
        if identity.pid == root.pid { root.signal(signal) } else { StrangerSignal.send(signal, to: identity) }
    }
}
