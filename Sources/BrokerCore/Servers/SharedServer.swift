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
    private let sessions: SessionDesk<SessionAttachment>
    private let reader: ModernReader
    private let placement: (any CallPlacement)?
    private let upstreamBox = LateValue<Upstream>()
    /// How many messages came without a session where none is needed.
    private let loneMessages = Atomic<UInt64>(0)

    package init(_ configuration: ServerConfiguration, ports: ServerPorts) {
        name = configuration.name
        self.configuration = configuration
        self.ports = ports
        reader = ModernReader(states: ports.states(of: configuration.name))
        sessions = SessionDesk(
            server: configuration.name, isolation: configuration.multiplexer.isolation, limits: configuration.sessions,
            ports: ports)
        var pinned = configuration.multiplexer
        pinned.isPinned = pinned.isolation == .pool || pinned.isolation == .call
        placement =
            switch configuration.multiplexer.isolation {
            case .shared, .client: nil
            case .pool:
                PoolPlacement(pinned, replicas: configuration.replicas, ports: ports)
            case .call:
                FreshPlacement(pinned, limit: configuration.clientUpstreams, ports: ports)
            }
        upstreamBox.set(
            Upstream(pinned, owner: self, ports: ports))
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
            if isolation == .call, call.declared == nil { return message.oversizeCapabilities() }
            return .pending(ticket(upstream.initialize(call, message: message)))
        }
        var attachment = SessionAttachment()
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
            attachment = found.attachment
        }
        switch message.envelope.kind {
        case .request:
            if let placement, message.isPlaceable {
                return .pending(place(message, session, attachment, home: upstream, placement, sink: sink))
            }
            return .pending(ticket(upstream.request(message, session: session, sink: sink)))
        case .notification:
            upstream.notification(message, session: session)
            if let placement, message.isCancellation {
                for other in placement.upstreams(of: session) { other.notification(message, session: session) }
            }
            return .accepted
        case .response, .errorResponse:
            // What no session was asked, nothing is made of.
            for other in [upstream] + (placement?.upstreams(of: session) ?? []) {
                other.response(message, session: session)
            }
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
            let key = loneMessage()
            guard let placement else {
                return .pending(ticket(upstream.request(request, session: key, sink: sink)))
            }
            return .pending(place(request, key, home: upstream, placement, sink: sink))
        }
    }

    /// A modern call goes where it began, where its task is, or where there is room.
    private func place(
        _ request: ModernRequest, _ key: SessionKey, home: Upstream, _ placement: any CallPlacement,
        sink: any CallSink
    ) -> CallTicket {
        let all = [home] + placement.upstreams(of: nil)
        func enter(_ upstream: Upstream, _ sink: any CallSink) -> Ticket? {
            upstream.request(request, session: key, sink: sink)
        }
        if let state = request.state {
            guard let upstream = all.first(where: { $0.number == state.upstream }) else {
                sink.finish(ModernError.staleState.answer(id: request.message.requestID))
                return CallTicket {}
            }
            return placement.enter(at: upstream, session: key, sink: sink, enter)
        }
        if request.method == .task {
            let upstream = all.first { $0.holdsTask(of: request) } ?? home
            return placement.enter(at: upstream, session: key, sink: sink, enter)
        }
        // The home has answered the lists that told of them.
        if let error = home.headerMismatch(in: request) {
            sink.finish(error.answer(id: request.message.requestID))
            return CallTicket {}
        }
        guard request.method.mayAskForInput else { return ticket(enter(home, sink)) }
        var caller = Caller(session: key)
        caller.capabilities = request.rawCapabilities
        if let ticket = placement.enter(caller, home: home, sink: sink, enter) { return ticket }
        sink.finish(
            CallFailure.full(server: name).modernAnswer(id: request.message.requestID ?? RawID(0), withTail: false))
        return CallTicket {}
    }

    private func place(
        _ message: ClientMessage, _ session: SessionKey, _ attachment: SessionAttachment, home: Upstream,
        _ placement: any CallPlacement, sink: any CallSink
    ) -> CallTicket {
        var caller = Caller(session: session)
        caller.declaration = attachment.declaration
        if isolation == .call {
            if !attachment.capabilities.isEmpty { caller.capabilities = attachment.capabilities }
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
        placement?.sweep()
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
                attachment: SessionAttachment(
                    capabilities: isolation == .call ? call.declared ?? [] : [],
                    declaration: placement == nil ? nil : call.declaration))
        else {
            call.sink.finish(ClientMessage.fullAnswer(id: call.id, server: name))
            return
        }
        if let evicted = opened.evicted { forget(evicted.key) }
        upstream.sessionOpened(opened.key, call.declaration)
        // The session ended meanwhile, and its end did not see what its client said of itself.
        if sessions.find(opened.id, principal: call.principal) == nil { forget(opened.key) }
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

/// What a session's calls need at an upstream beside the home.
struct SessionAttachment: Sendable {
    /// The raw object of capabilities that the client declared, where calls have upstreams of their own.
    var capabilities: [UInt8] = []
    /// What the client said of itself, for a modern server.
    var declaration: ClientDeclaration?
}
