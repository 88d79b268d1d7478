// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore
import Synchronization

/// A server whose home upstream serves all clients (isolations `shared`, `pool` and `call`).
///
/// Lodge itself is the server's client; sessions go on over a restart of the server. In `shared` the home is the only
/// upstream; else a ``CallPlacement`` has the calls, and the home, then called the catalog, answers all the rest.
package final class SharedServer: ServerRelay, Upstream.Owner {
    package let name: String
    /// Tells how the first start went.
    package let gate = StartGate()
    private let configuration: ServerConfiguration
    private let ports: ServerPorts
    /// With each session the capabilities that its client declared, where calls have upstreams of their own.
    private let sessions: SessionDesk<[UInt8]>
    private let placement: (any CallPlacement)?
    private let upstreamBox = LateValue<Upstream>()
    /// How many messages came without a session where none is needed.
    private let loneMessages = Atomic<UInt64>(0)

    package init(_ configuration: ServerConfiguration, ports: ServerPorts) {
        name = configuration.name
        self.configuration = configuration
        self.ports = ports
        sessions = SessionDesk(
            server: configuration.name, isolation: configuration.multiplexer.isolation, limits: configuration.sessions,
            ports: ports)
        placement =
            switch configuration.multiplexer.isolation {
            case .shared, .client: nil
            case .pool:
                PoolPlacement(configuration.multiplexer, replicas: configuration.replicas, ports: ports)
            case .call:
                FreshPlacement(configuration.multiplexer, limit: configuration.clientUpstreams, ports: ports)
            }
        upstreamBox.set(
            Upstream(
                configuration.multiplexer, owner: self, callLog: ports.callLog, logger: ports.logger, now: ports.now))
    }

    private var upstream: Upstream? { upstreamBox.value }

    private var isolation: Isolation { configuration.multiplexer.isolation }

    /// Every upstream that may have calls of a session.
    private func upstreams(of session: SessionKey?) -> [Upstream] {
        [upstream].compactMap { $0 } + (placement?.upstreams(of: session) ?? [])
    }

    package func start() {
        if let upstream { ports.supervisor.start(upstream, restarts: true) }
        placement?.start()
    }

    package func stop() {
        if let upstream { ports.supervisor.stop(upstream) }
        placement?.stop()
    }

    // MARK: ServerRelay

    package func receive(_ message: ClientMessage, sink: any CallSink) -> Admission {
        guard let upstream else { return message.missingSession() }
        let buffer = message.bytes
        let span = buffer.readableBytesUInt8Span
        if message.envelope.kind == .request, message.envelope.isMethod("initialize", in: span) {
            let deadline = ports.now().advanced(by: configuration.multiplexer.startTimeout)
            guard let call = message.initializeCall(sink: sink, deadline: deadline) else {
                return message.malformedInitialize()
            }
            if isolation == .call, call.declared == nil { return message.oversizeCapabilities() }
            return .pending(ticket(upstream.initialize(call, message: message)))
        }
        var capabilities: [UInt8] = []
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
            capabilities = found.attachment
        }
        switch message.envelope.kind {
        case .request:
            if let placement, message.isPlaceable {
                return .pending(place(message, session, capabilities, home: upstream, placement, sink: sink))
            }
            return .pending(ticket(upstream.request(message, session: session, sink: sink)))
        case .notification:
            upstream.notification(message, session: session)
            if let placement, message.isCancellation {
                for other in placement.upstreams(of: session) { other.notification(message, session: session) }
            }
            return .accepted
        case .response, .errorResponse:
            // What many share may ask no client anything; an upstream of one call may ask its caller.
            if isolation == .call {
                for other in placement?.upstreams(of: session) ?? [] { other.response(message) }
            }
            return .accepted
        case .batch, .invalid, .notAnObject:
            return .refused(
                .invalid,
                LodgeMessage.error(
                    id: nil, code: -32600, message: "the message has neither a method nor a result nor an error"))
        }
    }

    private func place(
        _ message: ClientMessage, _ session: SessionKey, _ capabilities: [UInt8], home: Upstream,
        _ placement: any CallPlacement, sink: any CallSink
    ) -> CallTicket {
        var caller = Caller(session: session)
        if isolation == .call {
            if !capabilities.isEmpty { caller.capabilities = capabilities }
            caller.level = home.inspect { $0.levels[session] }
        }
        let ticket = placement.enter(caller, home: home, sink: sink) { upstream, sink in
            upstream.request(message, session: session, sink: sink)
        }
        if let ticket { return ticket }
        if let id = message.requestID { sink.finish(.message(CallFailure.full(server: name).answer(id: id))) }
        return CallTicket {}
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
        forget(ended.key)
        return true
    }

    private func forget(_ session: SessionKey) {
        for upstream in upstreams(of: session) { upstream.sessionEnded(session) }
    }

    package func sweep() {
        let busy = upstreams(of: nil).reduce(into: Set<SessionKey>()) { busy, upstream in
            busy.formUnion(upstream.inspect { $0.sessionsInFlight })
        }
        for session in sessions.sweep(isBusy: { busy.contains($0.key) }) { forget(session.key) }
    }

    package var isStateless: Bool { configuration.isStateless }

    package var isReady: Bool { upstream?.inspect { $0.isReady } ?? false }

    package func status() -> ServerStatus {
        var status = ServerStatus(name: name, state: "stopped", isolation: isolation.rawValue)
        status.sessions = sessions.count
        status.lastActivity = sessions.lastActivity
        upstream?.inspect { multiplexer in
            status.take(multiplexer)
            status.upstreams = multiplexer.isRunning ? 1 : 0
        }
        for other in placement?.upstreams(of: nil) ?? [] { other.inspect { status.add($0) } }
        if let placement { status.add(placement.past) }
        return status
    }

    // MARK: Upstream.Owner

    package func open(_ call: InitializeCall, answer: MessageBytes, version: String, upstream: Upstream) {
        guard call.opensSession else { return call.sink.finish(.message(answer)) }
        guard
            let opened = sessions.open(
                principal: call.principal, version: version, capabilities: call.capabilities,
                attachment: isolation == .call ? call.declared ?? [] : [])
        else {
            call.sink.finish(ClientMessage.fullAnswer(id: call.id, server: name))
            return
        }
        if let evicted = opened.evicted { forget(evicted.key) }
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
        for session in sessions.end(where: { _ in true }) { forget(session.key) }
    }
}
