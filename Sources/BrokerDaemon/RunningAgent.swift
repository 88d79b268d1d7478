// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import LodgeConfiguration
import Synchronization
import UnixSignals

/// The agent of a session, once there is one, and the signals that are meant for it.
///
/// It starts nothing itself. An agent that was told to end and does not is torn down after the time of any teardown.
final class RunningAgent: Sendable {
    /// What is passed on to the agent; a sandbox lets the same ones through.
    static let signals: [UnixSignal] = [.sighup, .sigint, .sigquit, .sigterm, .sigusr1, .sigusr2]
    /// How long an agent that was told to end may take.
    static var grace: Duration { Defaults.teardownAfterTerminate.value }

    private enum State {
        /// Can transition to `interrupted` and `starting`.
        case waiting
        /// Lodge was told to end first, by this signal; no agent is started any more.
        case interrupted(Int32)
        /// Signals that come now are kept for the agent. Can transition to `running`.
        case starting(kept: [UnixSignal])
        case running(ChildProcess, isOnTerminal: Bool)
    }

    private let state = Mutex(State.waiting)
    private let ending = AsyncStream<Void>.makeStream()

    /// Passes a signal on; answers the session's end where there is no agent yet.
    func take(_ signal: UnixSignal) -> AgentSession.Failure? {
        let isEnd = ![.sigusr1, .sigusr2].contains(signal)
        let state = state.withLock { state in
            if case .waiting = state, isEnd { state = .interrupted(signal.rawValue) }
            if case .starting(let kept) = state { state = .starting(kept: kept + [signal]) }
            return state
        }
        switch state {
        case .waiting, .starting: return nil
        case .interrupted(let number): return Self.interrupted(by: number)
        case .running(let child, let isOnTerminal):
            // The terminal tells its whole foreground group of these two. An interactive agent takes them as "stop what
            // you do", and has had them already; Lodge cannot tell them from the same signals sent to it alone.
            if isOnTerminal, [.sigint, .sigquit].contains(signal) { return nil }
            child.sendToGroup(signal.rawValue)
            if isEnd { ending.continuation.yield() }
            return nil
        }
    }

    /// Starts the agent, unless Lodge was told to end before, and waits for its end.
    func run(
        isOnTerminal: Bool, start: () throws(AgentSession.Failure) -> ChildProcess
    ) async throws(AgentSession.Failure) -> ExitStatus {
        let early = state.withLock { state -> Int32? in
            if case .interrupted(let number) = state { return number }
            state = .starting(kept: [])
            return nil
        }
        if let early { throw Self.interrupted(by: early) }
        let child = try start()
        let kept = state.withLock { state -> [UnixSignal] in
            defer { state = .running(child, isOnTerminal: isOnTerminal) }
            if case .starting(let kept) = state { return kept }
            return []
        }
        for signal in kept { _ = take(signal) }
        return await wait(for: child)
    }

    private func wait(for child: ChildProcess) async -> ExitStatus {
        await withTaskGroup(of: ExitStatus?.self) { group in
            group.addTask { await child.waitForExit() }
            group.addTask { [ending] in
                for await _ in ending.stream {
                    // It throws when cancelled, which is as soon as the agent has ended.
                    guard (try? await Task.sleep(for: Self.grace)) != nil else { return nil }
                    await child.teardown(.immediate)
                    return nil
                }
                return nil
            }
            var status = ExitStatus.unknown
            for await result in group {
                guard let result else { continue }
                status = result
                break
            }
            group.cancelAll()
            await child.reapTree()
            return status
        }
    }

    private static func interrupted(by number: Int32) -> AgentSession.Failure {
        AgentSession.Failure(
            message: "interrupted by \(SignalName.of(number) ?? "a signal") before the agent was started", hints: [],
            status: 128 + number)
    }
}
