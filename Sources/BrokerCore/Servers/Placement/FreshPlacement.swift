// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Synchronization

/// An upstream for each call alone, torn down right after its answer (isolation `call`).
///
/// What the caller can do is declared to it, so it may ask that caller during the call. It counts as in use until its
/// process is gone, so that there are never more processes than the limit says.
final class FreshPlacement: CallPlacement, Upstream.Owner {
    private struct Entry {
        let upstream: Upstream
        let session: SessionKey
        /// Whether its call is over, so that it must not run any longer.
        var isOver = false
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        /// How many there have been.
        var last: Ticket = 0
        var past = Multiplexer.Counters()
    }

    /// Tickets that one upstream can use before it could meet those of the next: its server's questions have to be
    /// told apart among all upstreams of a session, and ids stay below 2^53 for eight billion calls.
    private static let tickets: Ticket = 1 << 20

    private let configuration: Multiplexer.Configuration
    private let limit: Int
    private let ports: ServerPorts
    private let state = Mutex(State())

    /// - Parameter limit: how many upstreams there may be at one time, beside the home.
    init(_ configuration: Multiplexer.Configuration, limit: Int, ports: ServerPorts) {
        var configuration = configuration
        configuration.audience = .call
        configuration.provesTools = false
        self.configuration = configuration
        self.limit = limit
        self.ports = ports
    }

    func start() {}

    func stop() {
        for upstream in upstreams(of: nil) { end(upstream) }
    }

    func enter(
        _ caller: Caller, home _: Upstream, sink: any CallSink, _ body: (Upstream, any CallSink) -> Ticket?
    ) -> CallTicket? {
        guard let upstream = admit(caller) else { return nil }
        upstream.sessionOpened(caller.session, caller.declaration, level: caller.level)
        let sink = LastingSink(sink) { [weak self] in self?.release(upstream) }
        guard let ticket = body(upstream, sink) else {
            forget(upstream)
            return CallTicket {}
        }
        ports.supervisor.start(upstream, restarts: false)
        // A call that ended before its upstream was started told a supervisor that did not know it yet.
        if state.withLock({ $0.entries[ObjectIdentifier(upstream)]?.isOver == true }) {
            ports.supervisor.stop(upstream)
        }
        return given(ticket, at: upstream, of: caller.session)
    }

    func enter(
        at upstream: Upstream, session: SessionKey, sink: any CallSink, _ body: (Upstream, any CallSink) -> Ticket?
    ) -> CallTicket {
        let sink = LastingSink(sink) { [weak self] in self?.release(upstream) }
        guard let ticket = body(upstream, sink) else { return CallTicket {} }
        return given(ticket, at: upstream, of: session)
    }

    private func given(_ ticket: Ticket, at upstream: Upstream, of session: SessionKey) -> CallTicket {
        CallTicket { [weak self] in
            upstream.withdraw(ticket, of: session)
            self?.release(upstream)
        }
    }

    func sweep() {
        for upstream in upstreams(of: nil) { release(upstream) }
    }

    private func admit(_ caller: Caller) -> Upstream? {
        state.withLock { state in
            guard state.entries.count < limit else { return nil }
            state.last += 1
            var configuration = configuration
            configuration.declaredCapabilities = caller.capabilities
            configuration.initialLevel = caller.level
            configuration.firstTicket = state.last * Self.tickets
            let upstream = Upstream(configuration, owner: self, ports: ports)
            state.entries[ObjectIdentifier(upstream)] = Entry(upstream: upstream, session: caller.session)
            return upstream
        }
    }

    /// Ends the upstream of a call that is over, and will not go on; it is forgotten once its process is gone.
    private func release(_ upstream: Upstream) {
        let now = ports.now()
        if !upstream.inspect({ $0.isInUse(now: now) }) { end(upstream) }
    }

    private func end(_ upstream: Upstream) {
        let isNews = state.withLock { state in
            guard let entry = state.entries[ObjectIdentifier(upstream)], !entry.isOver else { return false }
            state.entries[ObjectIdentifier(upstream)]?.isOver = true
            return true
        }
        if isNews { ports.supervisor.stop(upstream) }
    }

    private func forget(_ upstream: Upstream) {
        let counters = upstream.inspect { $0.counters }
        state.withLock { state in
            guard state.entries.removeValue(forKey: ObjectIdentifier(upstream)) != nil else { return }
            state.past.add(counters)
        }
    }

    func upstreams(of session: SessionKey?) -> [Upstream] {
        state.withLock { state in
            state.entries.values.filter { session == nil || $0.session == session }.map(\.upstream)
        }
    }

    var past: Multiplexer.Counters { state.withLock { $0.past } }

    // MARK: Upstream.Owner

    /// No client initializes here; one that did would get the answer and no session.
    func open(_ call: InitializeCall, answer: MessageBytes, version _: String, upstream _: Upstream) {
        call.sink.finish(.message(answer))
    }

    /// A failed handshake fails the call, and with it ends the upstream.
    func handshakeEnded(failure _: String?, upstream _: Upstream) {}

    func generationEnded(_: Ending, upstream: Upstream) { forget(upstream) }
}

/// A call's own sink that tells when the call has its answer.
private final class LastingSink: CallSink {
    private let sink: any CallSink
    private let whenOver: @Sendable () -> Void

    init(_ sink: any CallSink, whenOver: @escaping @Sendable () -> Void) {
        self.sink = sink
        self.whenOver = whenOver
    }

    var acceptsStream: Bool { sink.acceptsStream }
    var keepsMessages: Bool { sink.keepsMessages }
    func deliver(_ message: MessageBytes) { sink.deliver(message) }

    func finish(_ answer: Answer) {
        sink.finish(answer)
        whenOver()
    }
}
