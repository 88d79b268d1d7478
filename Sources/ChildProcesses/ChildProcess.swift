// SPDX-License-Identifier: Apache-2.0

import Dispatch
import Glibc
import Synchronization

/// A running program that Lodge started, together with everything that it starts in turn.
///
/// It reads and writes no message: it hands out the descriptors of standard input and output and drains standard error
/// itself. It lives until the child's whole tree has ended, also when nobody refers to it any more; `teardown` ends it.
/// When the child ends by itself, what it left running gets SIGTERM and, after half a second, SIGKILL.
///
/// 1. The exit is told as soon as it is seen, with the last standard error in `stderrTail`.
/// 2. The child's zombie is collected only after its tree is gone, so its pid and group mean nobody else until then.
/// 3. The guard knows the marker from before the start until the tree is gone.
package final class ChildProcess: Sendable {
    /// What leftovers of a child that ended by itself are given between SIGTERM and SIGKILL.
    static let leftoverGrace: Duration = .milliseconds(500)
    /// How long the standard error is read on after the tree is gone, for a holder of the pipe that escaped it.
    static let lastWordsLimit: Duration = .milliseconds(250)

    private struct State: ~Copyable {
        /// Lodge's ends of the pipes; nil once given away or closed.
        var input: OwnedDescriptor?
        var output: OwnedDescriptor?
        /// How the owner of a given-away standard input closes it; nil once called.
        var inputCloser: (@Sendable () -> Void)?
        var isTearingDown = false
        var strayOutput = LineTail()
    }

    package let pid: Int32
    /// What every process of the child's tree carries in `LODGE_MARKER`.
    package let marker: String

    let handle: ProcessHandle
    let queue: DispatchQueue
    private let errorReader: StandardErrorReader?
    private let watch: TreeWatch
    private let guardian: GuardProcess?
    private let exit = OneShot<ExitStatus>()
    /// Set when the tree is gone and the streams are closed, with the pids that could not be killed.
    private let end = OneShot<[pid_t]>()
    private let state: Mutex<State>

    init(
        handle: ProcessHandle, marker: String, pipes: ChildPipes?, input: consuming OwnedDescriptor?,
        output: consuming OwnedDescriptor?, errorReader: StandardErrorReader?, queue: DispatchQueue,
        guardian: GuardProcess?
    ) {
        pid = handle.pid
        self.marker = marker
        self.handle = handle
        self.queue = queue
        self.errorReader = errorReader
        self.guardian = guardian
        watch = TreeWatch(root: handle, marker: marker, pipes: pipes, queue: queue)
        state = Mutex(State(input: input, output: output))
    }

    /// Begins to read standard error and to watch for the exit. Called once, by `spawn`.
    func start() {
        errorReader?.start()
        handle.watchExit(on: queue) { [self] status in exited(status) }
    }

    // MARK: Streams

    /// Gives Lodge's end of the standard input to the caller, who closes it; nil if it was given, closed or inherited.
    ///
    /// The descriptor is non-blocking and close-on-exec.
    /// - Parameter closer: called at most once, when a teardown wants the descriptor closed; it must not block.
    package func takeStandardInput(closer: @escaping @Sendable () -> Void) -> Int32? {
        state.withLock { state in
            guard let input = state.input.take() else { return nil }
            state.inputCloser = closer
            return input.release()
        }
    }

    /// Gives Lodge's end of the standard output to the caller, who closes it; nil if it was given, closed or inherited.
    ///
    /// The descriptor is non-blocking and close-on-exec. Its end of file is not the child's exit, nor the reverse.
    package func takeStandardOutput() -> Int32? {
        state.withLock { state in
            guard let output = state.output.take() else { return nil }
            return output.release()
        }
    }

    /// Closes the standard input, or asks its owner to.
    package func closeStandardInput() {
        let closer = state.withLock { state in
            state.input = nil
            defer { state.inputCloser = nil }
            return state.inputCloser
        }
        closer?()
    }

    /// The last 64 lines, 16 KiB at most, of the standard error, oldest first. Complete once the exit is told.
    package var stderrTail: [String] { errorReader?.tail ?? [] }

    /// Records a line of the standard output that is no message, for `strayOutputTail`.
    package func recordStrayOutput(_ line: some Sequence<UInt8>) {
        // The reader of the output has its own limit for a line; the tail keeps no more than its own.
        let text = String(decoding: Array(line.prefix(8 * 1024)), as: UTF8.self)
        state.withLock { $0.strayOutput.append(text) }
    }

    /// The last lines that `recordStrayOutput` was given, oldest first, in the same bounds.
    package var strayOutputTail: [String] { state.withLock { $0.strayOutput.lines } }

    // MARK: Ending

    /// How the child ended; nil while it runs.
    package var exitStatus: ExitStatus? { exit.value }

    /// Waits for the child to end. The wait is not cut short by cancellation: tear the child down instead.
    package func waitForExit() async -> ExitStatus { await exit.waitUncancelled() }

    /// Calls back once when the child has ended; at once if it has. The callback must not block.
    package func onExit(_ callback: @escaping @Sendable (ExitStatus) -> Void) { exit.whenSet(callback) }

    /// Sends a signal to the child alone. It does nothing once the child has ended.
    package func send(_ signal: Int32) { handle.signal(signal) }

    /// Sends a signal to the child's process group; if that is Lodge's own, to those of the child's tree that are in it.
    ///
    /// The second takes a scan of /proc, so it may be done a moment after the call has returned.
    package func sendToGroup(_ signal: Int32) {
        // The child alone would not do: a sandbox around an agent ignores what is meant for the agent.
        if handle.leadsGroup { handle.signalGroup(signal) } else { watch.signal(signal, inGroup: getpgrp()) }
    }

    /// Waits until nothing of the child's tree is left, and answers the pids that could not be killed: none, as a rule.
    ///
    /// It ends nothing by itself. The wait is not cut short by cancellation.
    @discardableResult
    package func waitForEnd() async -> [Int32] { await end.waitUncancelled() }

    /// As `waitForEnd`, but answers nil when the waiting task is cancelled.
    func waitForEndOrCancellation() async -> [pid_t]? { await end.wait() }

    /// Answers false when a teardown is going on already.
    func beginTeardown() -> Bool {
        state.withLock { state in
            defer { state.isTearingDown = true }
            return !state.isTearingDown
        }
    }

    /// Remembers who belongs to the tree while the child still tells by being their parent.
    func rememberTree() async {
        await withCheckedContinuation { continuation in watch.look { continuation.resume() } }
    }

    func killTree() { watch.kill { [self] event in treeEvent(event) } }

    private func exited(_ status: ExitStatus) {
        errorReader?.drainLastWords()
        let isTearingDown = state.withLock { $0.isTearingDown }
        exit.set(status)
        // A teardown has its own steps for what is left.
        watch.rootExited(leftoverGrace: isTearingDown ? nil : Self.leftoverGrace) { [self] event in treeEvent(event) }
    }

    private func treeEvent(_ event: TreeWatch.Event) {
        switch event {
        case .stuck(let pids): end.set(pids)
        case .gone:
            handle.collect()
            guardian?.remove(marker: marker)
            guard let errorReader else { return finish() }
            errorReader.finish(within: Self.lastWordsLimit) { [self] in finish() }
        }
    }

    private func finish() {
        closeStandardInput()
        // An owner of the standard output reads it to its end and closes it; one that was never taken is closed here.
        state.withLock { $0.output = nil }
        end.set([])
    }
}
