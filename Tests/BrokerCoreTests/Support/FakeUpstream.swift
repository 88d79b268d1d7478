// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Synchronization

/// One generation's way to a server that keeps what it was sent.
final class FakeConnection: UpstreamConnection {
    private struct State {
        var sent: [String] = []
        var reads = true
        var onSend: (@Sendable (String) -> Void)?
    }

    private let state = Mutex(State())

    /// What the server was sent, oldest first.
    var sent: [String] { state.withLock { $0.sent } }

    /// Lets the server stop to read its input.
    func stopReading() { state.withLock { $0.reads = false } }

    /// Runs a closure inside each later `send`, as if something happened elsewhere meanwhile.
    func onSend(_ body: @escaping @Sendable (String) -> Void) { state.withLock { $0.onSend = body } }

    func send(_ message: MessageBytes) -> Bool {
        let hook = state.withLock { state -> (@Sendable (String) -> Void)? in
            guard state.reads else { return nil }
            state.sent.append(message.text)
            return state.onSend
        }
        hook?(message.text)
        return state.withLock { $0.reads }
    }
}

/// A timer that only remembers what it was armed for.
final class FakeTimer: DeadlineTimer {
    private let state = Mutex<ContinuousClock.Instant?>(nil)

    var armed: ContinuousClock.Instant? { state.withLock { $0 } }
    func arm(at deadline: ContinuousClock.Instant) { state.withLock { $0 = deadline } }
}

/// Starts nothing, and keeps what it was asked to start and stop.
final class FakeSupervisor: UpstreamSupervisor {
    struct Start: Sendable {
        let upstream: Upstream
        let restarts: Bool
    }

    private struct State {
        var starts: [Start] = []
        var stops: [Upstream] = []
        var onStart: (@Sendable (Upstream) -> Void)?
    }

    private let state = Mutex(State())

    var starts: [Start] { state.withLock { $0.starts } }

    /// Runs a closure before each later start is taken, as if something happened elsewhere meanwhile.
    func onStart(_ body: @escaping @Sendable (Upstream) -> Void) { state.withLock { $0.onStart = body } }

    func start(_ upstream: Upstream, restarts: Bool) {
        state.withLock { $0.onStart }?(upstream)
        state.withLock { $0.starts.append(Start(upstream: upstream, restarts: restarts)) }
    }

    /// As a real supervisor, it can only stop what it was asked to start.
    func stop(_ upstream: Upstream) {
        state.withLock { state in
            guard state.starts.contains(where: { $0.upstream === upstream }) else { return }
            state.stops.append(upstream)
        }
    }
    func hasStopped(_ upstream: Upstream) -> Bool { state.withLock { $0.stops.contains { $0 === upstream } } }
}

extension Upstream {
    /// Hands over a message of the server, from its text.
    func serve(_ json: String) throws { received(try .of(json)) }

    /// Begins a generation, and answers Lodge's own handshake.
    func startGeneration(capabilities: String = "{}") throws -> FakeConnection {
        let connection = FakeConnection()
        generationStarted(connection, timer: FakeTimer())
        try serve(Sample.initializeAnswer(id: "\(inspect { $0.lastTicketUsed })", capabilities: capabilities))
        return connection
    }
}
