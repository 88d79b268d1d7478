// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore
import Synchronization

/// A server whose one upstream serves all clients (isolation `shared`).
///
/// Lodge itself is the server's client; sessions go on over a restart of the server.
package final class SharedServer: ServerRelay, Upstream.Owner {
    package let name: String
    /// Tells how the first start went.
    package let gate = StartGate()
    private let configuration: ServerConfiguration
    private let ports: ServerPorts
    private let sessions: SessionDesk<Void>
    private let reader: ModernReader
    private let upstreamBox = LateValue<Upstream>()
    /// How many messages came without a session where none is needed.
    private let loneMessages = Atomic<UInt64>(0)

    package init(_ configuration: ServerConfiguration, ports: ServerPorts) {
        name = configuration.name
        self.configuration = configuration
        self.ports = ports
        reader = ModernReader(states: ports.states(of: configuration.name))
        sessions = SessionDesk(
            server: configuration.name, isolation: .shared, limits: configuration.sessions, ports: ports)
        upstreamBox.set(
            Upstream(configuration.multiplexer, owner: self, ports: ports))
    }

    private var upstream: Upstream? { upstreamBox.value }

    package func start() {
        if let upstream { ports.supervisor.start(upstream, restarts: true) }
    }

    package func stop() {
        if let upstream { ports.supervisor.stop(upstream) }
    }

    // MARK: ServerRelay

    package func receive(_ message: ClientMessage, sink: any CallSink) -> Admission {
        guard let upstream else { return message.missingSession() }
        if message.isModern { return receiveModern(message, on: upstream, sink: sink) }
        let buffer = message.bytes
        let span = buffer.readableBytesUInt8Span
        if message.envelope.kind == .request, message.envelope.isMethod("initialize", in: span) {
            let deadline = ports.now().advanced(by: configuration.multiplexer.startTimeout)
            guard
                let call = message.initializeCall(
                    sink: sink, deadline: deadline, era: configuration.multiplexer.era)
            else {
                return message.malformedInitialize()
            }
            return .pending(ticket(upstream.initialize(call, message: message)))
        }
        let session: SessionKey
        if message.isStateless {
            if let refusal = message.refusedWithoutSession() {
                sink.finish(.message(refusal))
                return .pending(CallTicket {})
            }
            session = loneMessage()
        } else {
            guard let id = message.session else { return message.missingSession() }
            guard let found = sessions.use(id, principal: message.principal) else { return message.unknownSession() }
            session = found.key
        }
        switch message.envelope.kind {
        case .request:
            return .pending(ticket(upstream.request(message, session: session, sink: sink)))
        case .notification:
            upstream.notification(message, session: session)
            return .accepted
        case .response, .errorResponse:
            // What no session was asked, nothing is made of.
            upstream.response(message, session: session)
            return .accepted
        case .batch, .invalid, .notAnObject:
            return .refused(
                .invalid,
                LodgeMessage.error(
                    id: nil, code: -32600, message: "the message has neither a method nor a result nor an error"))
        }
    }

    private func receiveModern(_ message: ClientMessage, on upstream: Upstream, sink: any CallSink) -> Admission {
        switch reader.read(message) {
        case .failure(let error):
            sink.finish(error.answer(id: message.requestID))
            return .pending(CallTicket {})
        case .success(let request):
            sessions.noteActivity()
            return .pending(ticket(upstream.request(request, session: loneMessage(), sink: sink)))
        }
    }

    /// A key of its own for a message that stands alone, so that nobody else's cancellation can mean it.
    ///
    /// The keys of sessions count from one, these from the middle of the numbers.
    private func loneMessage() -> SessionKey {
        SessionKey(number: 1 << 63 | loneMessages.add(1, ordering: .relaxed).newValue)
    }

    private func ticket(_ ticket: Ticket?) -> CallTicket {
        guard let ticket, let upstream else { return CallTicket {} }
        return CallTicket { upstream.withdraw(ticket) }
    }

    package func protocolVersion(session: String, principal: Principal) -> String? {
        sessions.find(session, principal: principal)?.protocolVersion.rawValue
    }

    package func openStream(_ sink: any StreamSink, session: String, principal: Principal) -> Bool {
        guard let holder = sessions.use(session, principal: principal) else { return false }
        upstream?.streamOpened(sink, session: holder.key, opened: holder.opened)
        guard sessions.find(session, principal: principal) != nil else {
            // The session ended meanwhile, and its end did not see this stream.
            upstream?.sessionEnded(holder.key)
            return false
        }
        return true
    }

    package func closeStream(_ sink: any StreamSink, session: String, principal: Principal) {
        guard let session = sessions.find(session, principal: principal) else { return }
        upstream?.streamClosed(sink, session: session.key)
    }

    package func closeStream(
        _ sink: any StreamSink, session: String, principal: Principal, unseen: [MessageBytes],
        since time: ContinuousClock.Instant
    ) {
        guard let session = sessions.find(session, principal: principal) else { return }
        upstream?.streamClosed(sink, session: session.key, unseen: unseen, since: time)
    }

    package func touch(session: String, principal: Principal) {
        sessions.touch(session, principal: principal)
    }

    package func endSession(_ session: String, principal: Principal) -> Bool {
        guard let ended = sessions.end(session, principal: principal) else { return false }
        upstream?.sessionEnded(ended.key)
        return true
    }

    package func sweep() {
        let busy = upstream?.inspect { $0.sessionsInFlight } ?? []
        for session in sessions.sweep(isBusy: { busy.contains($0.key) }) { upstream?.sessionEnded(session.key) }
    }

    package var isStateless: Bool { configuration.isStateless }

    package var isReady: Bool { upstream?.inspect { $0.isReady } ?? false }

    package func status() -> ServerStatus {
        var status = ServerStatus(name: name, state: "stopped", isolation: Isolation.shared.rawValue)
        status.sessions = sessions.count
        status.lastActivity = sessions.lastActivity
        upstream?.inspect { multiplexer in
            status.take(multiplexer)
            status.upstreams = multiplexer.isRunning ? 1 : 0
        }
        return status
    }

    // MARK: Upstream.Owner

    package func open(_ call: InitializeCall, answer: MessageBytes, version: String, upstream: Upstream) {
        guard call.opensSession else { return call.sink.finish(.message(answer)) }
        guard
            let opened = sessions.open(
                principal: call.principal, version: version, capabilities: call.capabilities, attachment: ())
        else {
            call.sink.finish(ClientMessage.fullAnswer(id: call.id, server: name))
            return
        }
        if let evicted = opened.evicted { upstream.sessionEnded(evicted.key) }
        upstream.sessionOpened(opened.key, for: call)
        // The session ended meanwhile, and its end did not see what its client said of itself.
        if sessions.find(opened.id, principal: call.principal) == nil { upstream.sessionEnded(opened.key) }
        call.sink.finish(.opened(answer, session: opened.id))
        // The generation ended while the session was being opened, so its end did not see the session.
        if configuration.sessionsEndWithGeneration, !upstream.inspect({ $0.isRunning }) { endAllSessions() }
    }

    package func handshakeEnded(failure: String?, upstream: Upstream) {
        gate.open(failure.map { .failed($0) } ?? .ready)
        if failure == nil { ports.observer?.serverCameUp(name) }
    }

    package func generationEnded(_ ending: Ending, upstream: Upstream) {
        gate.open(.failed(ending.text))
        if configuration.sessionsEndWithGeneration { endAllSessions() }
        ports.observer?.serverWentDown(name)
    }

    private func endAllSessions() {
        for session in sessions.end(where: { _ in true }) { upstream?.sessionEnded(session.key) }
    }
}
