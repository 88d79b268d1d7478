// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc
import Synchronization

/// Lodge's side of the guard: starts it with the first child and tells it of every tree.
///
/// One for each Lodge process, owned by its composition root. It kills nothing itself. A guard that ends is started
/// again with all it has to know; when that fails, `problem` is told and Lodge goes on unguarded.
package final class GuardProcess: Sendable {
    private struct State: ~Copyable {
        var ledger = GuardLedger()
        /// Lodge's end; the guard acts when nobody holds it any more. Nil when no guard runs.
        var socket: OwnedDescriptor?
        var exit: OneShot<ExitStatus>?
        var handle: ProcessHandle?
        var recentStarts: [Duration] = []
        var isStopped = false
    }

    /// More starts than this within a minute are not tried.
    private static let startLimit = 5

    private let executable: String
    private let environment: [String]
    private let problem: @Sendable (String) -> Void
    private let queue = DispatchQueue(label: "lodge.guard")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - executable: a program that calls `GuardProgram.main()` when its first argument is `GuardProgram.name`.
    ///   - environment: what that program needs to load, as a rule nothing.
    ///   - problem: called with a sentence when processes are not guarded.
    package init(
        executable: String = "/proc/self/exe", environment: [String: String] = [:],
        problem: @escaping @Sendable (String) -> Void
    ) {
        self.executable = executable
        self.environment = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        self.problem = problem
    }

    /// The guard's pid; nil when none runs.
    package var pid: Int32? { state.withLock { $0.handle?.pid } }

    func add(marker: String) { tell(GuardLedger.adding(marker)) }
    func add(group: pid_t, of marker: String) { tell(GuardLedger.naming(group, of: marker)) }
    func add(_ pipes: ChildPipes, of marker: String) { tell(GuardLedger.naming(pipes, of: marker)) }
    func remove(marker: String) { tell(GuardLedger.removing(marker)) }

    /// Lets the guard go, and collects it. What is still in its ledger is ended by it, as if Lodge had been killed.
    package func stop(within limit: Duration = .seconds(3)) async {
        let (exit, handle) = state.withLock { state in
            state.isStopped = true
            state.socket = nil
            return (state.exit, state.handle)
        }
        guard let exit, let handle else { return }
        queue.asyncAfter(deadline: .now() + limit.dispatchInterval) { handle.signal(SIGKILL) }
        _ = await exit.waitUncancelled()
    }

    private func tell(_ line: String) {
        let trouble = state.withLock { state -> String? in
            state.ledger.take(line.utf8)
            guard !state.isStopped else { return nil }
            if let socket = state.socket?.number, send(line, on: socket) { return nil }
            // There is no guard, or it does not listen. A new one is told everything, this line included.
            return state.ledger.groups.isEmpty ? nil : startAgain(&state)
        }
        if let trouble { problem(trouble) }
    }

    private func send(_ text: String, on socket: Int32) -> Bool {
        let bytes = Array(text.utf8)
        // Sound: the call reads `count` bytes of a buffer that lives until it returns.
        let sent = unsafe bytes.withUnsafeBytes { unsafe cps_send(socket, $0.baseAddress, $0.count) }
        return sent == bytes.count
    }

    /// Replaces the guard under the lock, so that no line overtakes another. Answers what went wrong.
    private func startAgain(_ state: inout State) -> String? {
        state.handle?.signal(SIGKILL)
        state.socket = nil
        state.handle = nil
        let now = MonotonicTime.now()
        state.recentStarts.removeAll { now - $0 > .seconds(60) }
        guard state.recentStarts.count < Self.startLimit else {
            return "processes can outlive a killed Lodge: the guard ended \(Self.startLimit) times within a minute; "
                + "restart Lodge"
        }
        state.recentStarts.append(now)
        do throws(SpawnError) {
            try start(&state)
        } catch {
            return "processes can outlive a killed Lodge: \(error.message)"
        }
        if let socket = state.socket?.number, !send(state.ledger.replay, on: socket) {
            // It does not listen. Its end, when it is seen, starts the next one or tells that it is given up on.
            state.handle?.signal(SIGKILL)
            state.socket = nil
        }
        return nil
    }

    private func start(_ state: inout State) throws(SpawnError) {
        var failure: Int32 = 0
        guard let ends = OwnedPipe.socketPair(error: &failure), let null = Self.openNull(&failure) else {
            throw SpawnError(systemError: failure, starting: executable, at: executable)
        }
        let request = ProcessLauncher.Request(
            program: executable, path: try checkedExecutable(), arguments: GuardProgram.arguments,
            environment: environment, workingDirectory: nil, group: .session)
        let handle = try ProcessLauncher.launch(
            request, streams: .init(input: ends.reading.number, output: null.number, error: null.number))
        let exit = OneShot<ExitStatus>()
        handle.watchExit(on: queue) { [weak self] status in
            handle.collect()
            exit.set(status)
            self?.ended(handle, status)
        }
        state.handle = handle
        state.exit = exit
        state.socket = consume ends.writing
    }

    private func checkedExecutable() throws(SpawnError) -> String {
        try ExecutableLookup(ChildSpecification(executable: executable, environment: [:])).find()
    }

    private func ended(_ handle: ProcessHandle, _ status: ExitStatus) {
        let trouble = state.withLock { state -> String? in
            guard state.handle === handle else { return nil }
            state.handle = nil
            state.socket = nil
            guard !state.isStopped, !state.ledger.groups.isEmpty else { return nil }
            return startAgain(&state)
        }
        if let trouble { problem(trouble) }
    }

    private static func openNull(_ failure: inout Int32) -> OwnedDescriptor? {
        // Sound: the text lives until the call returns.
        let number = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
        if number < 0 { failure = errno }
        return number < 0 ? nil : OwnedDescriptor(owning: number)
    }
}
