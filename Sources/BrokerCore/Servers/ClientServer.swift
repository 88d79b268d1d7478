// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore
import Synchronization

/// A server with one upstream for each legacy session and each principal of modern clients (isolation `client`).
///
/// A legacy client's own `initialize` reaches its own upstream, so everything can be declared to it. A session ends with
/// its upstream and the other way round. Modern clients have no session: theirs is their principal's, declares everything,
/// and is restarted until nobody has used it for a while. One throw-away upstream at the start proves that the server works at all.
package final class ClientServer: ServerRelay, Upstream.Owner {
    package let name: String
    package let gate = StartGate()
    private let configuration: ServerConfiguration
    private let ports: ServerPorts
    private let sessions: SessionDesk<Upstream>
    private let principals = PrincipalUpstreams()
    private let reader: ModernReader
    private let loneRequests = Atomic<UInt64>(0)
    private let state = Mutex(State())

    private struct State {
        /// Upstreams whose client has no session yet.
        var opening: [ObjectIdentifier: Upstream] = [:]
        /// The throw-away upstream, until it proved the server.
        var proof: Upstream?
        var proved = false
        var lastEnding: Ending?
        var serverInfo: JSONValue?
        var version: String?
        /// Counters of upstreams that are gone.
        var past = Multiplexer.Counters()
    }

    package init(_ configuration: ServerConfiguration, ports: ServerPorts) {
        name = configuration.name
        self.configuration = configuration
        self.ports = ports
        reader = ModernReader(states: ports.states(of: configuration.name))
        var limits = configuration.sessions
        limits.cap = configuration.clientUpstreams
        limits.idle = configuration.clientIdle
        sessions = SessionDesk(server: configuration.name, isolation: .client, limits: limits, ports: ports)
    }

    package func start() {
        var proving = configuration.multiplexer
        proving.ownHandshake = true
        let proof = makeUpstream(proving)
        state.withLock { $0.proof = proof }
        ports.supervisor.start(proof, restarts: true)
    }

    package func stop() {
        let rest = state.withLock { state in
            defer {
                state.opening = [:]
                state.proof = nil
            }
            return Array(state.opening.values) + [state.proof].compactMap { $0 }
        }
        for upstream in rest + principals.takeAll() { ports.supervisor.stop(upstream) }
        for session in sessions.end(where: { _ in true }) { end(session) }
    }

    private func makeUpstream(_ configuration: Multiplexer.Configuration) -> Upstream {
        Upstream(configuration, owner: self, ports: ports)
    }

    // MARK: ServerRelay

    package func receive(_ message: ClientMessage, sink: any CallSink) -> Admission {
        if message.isModern { return receiveModern(message, sink: sink) }
        let buffer = message.bytes
        let span = buffer.readableBytesUInt8Span
        if message.envelope.kind == .request, message.envelope.isMethod("initialize", in: span) {
            return initialize(message, sink: sink)
        }
        guard let id = message.session else { return message.missingSession() }
        guard let session = sessions.use(id, principal: message.principal) else { return message.unknownSession() }
        let upstream = session.attachment
        switch message.envelope.kind {
        case .request:
            guard let ticket = upstream.request(message, session: session.key, sink: sink) else {
                return .pending(CallTicket {})
            }
            return .pending(CallTicket { upstream.withdraw(ticket) })
        case .notification:
            upstream.notification(message, session: session.key)
            return .accepted
        case .response, .errorResponse:
            upstream.response(message)
            return .accepted
        case .batch, .invalid, .notAnObject:
            return .refused(
                .invalid,
                LodgeMessage.error(
                    id: nil, code: -32600, message: "the message has neither a method nor a result nor an error"))
        }
    }

    private func receiveModern(_ message: ClientMessage, sink: any CallSink) -> Admission {
        switch reader.read(message) {
        case .failure(let error):
            sink.finish(error.answer(id: message.requestID))
            return .pending(CallTicket {})
        case .success(let request):
            sessions.noteActivity()
            guard let upstream = upstream(of: message.principal) else {
                sink.finish(ClientMessage.fullModernAnswer(id: message.requestID, server: name))
                return .pending(CallTicket {})
            }
            // The keys of sessions count from one, these from the middle of the numbers.
            let key = SessionKey(number: 1 << 63 | loneRequests.add(1, ordering: .relaxed).newValue)
            guard let ticket = upstream.request(request, session: key, sink: sink) else {
                return .pending(CallTicket {})
            }
            return .pending(CallTicket { upstream.withdraw(ticket, of: key) })
        }
    }

    /// The upstream of a principal's modern clients; nil where the server has as many as it may and all are in use.
    private func upstream(of principal: Principal) -> Upstream? {
        var modern = configuration.multiplexer
        modern.ownHandshake = true
        modern.audience = .principal
        modern.solePrincipal = principal.isIdentified
        modern.declaredCapabilities = Self.everything
        func find() -> PrincipalUpstreams.Finding {
            principals.find(principal, now: ports.now()) { count in
                count + sessions.count + state.withLock { $0.opening.count } < configuration.clientUpstreams
            } make: {
                makeUpstream(modern)
            }
        }
        var finding = find()
        if case .full = finding, let idle = sessions.makeRoom() {
            end(idle)
            finding = find()
        }
        switch finding {
        case .known(let upstream): return upstream
        case .new(let upstream):
            ports.supervisor.start(upstream, restarts: true)
            return upstream
        case .full: return nil
        }
    }

    /// What Lodge declares for modern clients, whose own capabilities come with each call: whatever the server asks is
    /// put to a client that can be asked, or refused.
    private static let everything = Array(
        #"{"sampling":{"context":{},"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{}}"#.utf8)

    private func initialize(_ message: ClientMessage, sink: any CallSink) -> Admission {
        let deadline = ports.now().advanced(by: configuration.multiplexer.startTimeout)
        guard let call = message.initializeCall(sink: sink, deadline: deadline) else {
            return message.malformedInitialize()
        }
        let upstream = makeUpstream(configuration.multiplexer)
        guard admit(upstream) else {
            sink.finish(ClientMessage.fullAnswer(id: call.id, server: name))
            return .pending(CallTicket {})
        }
        let ticket = upstream.initialize(call, message: message)
        ports.supervisor.start(upstream, restarts: false)
        return .pending(
            CallTicket { [weak self] in
                if let ticket { upstream.withdraw(ticket) }
                self?.giveUp(upstream)
            })
    }

    /// Counts an upstream in that is to be started; false where the server has as many as it may and all are in use.
    private func admit(_ upstream: Upstream) -> Bool {
        func enter() -> Bool {
            let open = sessions.count + principals.count
            return state.withLock { state in
                guard open + state.opening.count < configuration.clientUpstreams else { return false }
                state.opening[ObjectIdentifier(upstream)] = upstream
                return true
            }
        }
        if enter() { return true }
        guard let idle = sessions.makeRoom() else { return false }
        end(idle)
        return enter()
    }

    /// Ends an upstream whose client never got a session.
    private func giveUp(_ upstream: Upstream) {
        let wasOpening = state.withLock { $0.opening.removeValue(forKey: ObjectIdentifier(upstream)) != nil }
        if wasOpening { ports.supervisor.stop(upstream) }
    }

    package func protocolVersion(session: String, principal: Principal) -> String? {
        sessions.find(session, principal: principal)?.protocolVersion.rawValue
    }

    package func openStream(_ sink: any StreamSink, session: String, principal: Principal) -> Bool {
        guard let holder = sessions.use(session, principal: principal) else { return false }
        holder.attachment.streamOpened(sink, session: holder.key, opened: holder.opened)
        guard sessions.find(session, principal: principal) != nil else {
            // The session ended meanwhile, and its end did not see this stream.
            holder.attachment.sessionEnded(holder.key)
            return false
        }
        return true
    }

    package func closeStream(_ sink: any StreamSink, session: String, principal: Principal) {
        guard let session = sessions.find(session, principal: principal) else { return }
        session.attachment.streamClosed(sink, session: session.key)
    }

    package func closeStream(
        _ sink: any StreamSink, session: String, principal: Principal, unseen: [MessageBytes],
        since time: ContinuousClock.Instant
    ) {
        guard let session = sessions.find(session, principal: principal) else { return }
        session.attachment.streamClosed(sink, session: session.key, unseen: unseen, since: time)
    }

    package func touch(session: String, principal: Principal) {
        sessions.touch(session, principal: principal)
    }

    package func endSession(_ session: String, principal: Principal) -> Bool {
        guard let ended = sessions.end(session, principal: principal) else { return false }
        end(ended)
        return true
    }

    private func end(_ session: SessionDesk<Upstream>.Session) {
        session.attachment.sessionEnded(session.key)
        ports.supervisor.stop(session.attachment)
        let counters = session.attachment.inspect { $0.counters }
        state.withLock { $0.past.add(counters) }
    }

    package func sweep() {
        let idle = principals.takeIdle(since: configuration.clientIdle, now: ports.now()) {
            $0.inspect { !$0.isQuiet }
        }
        for upstream in idle {
            ports.supervisor.stop(upstream)
            let counters = upstream.inspect { $0.counters }
            state.withLock { $0.past.add(counters) }
        }
        for session in sessions.sweep(isBusy: { $0.attachment.inspect { $0.callsInFlight > 0 } }) { end(session) }
    }

    package var isReady: Bool { state.withLock { $0.proved } }

    package func status() -> ServerStatus {
        var status = ServerStatus(name: name, state: "starting", isolation: Isolation.client.rawValue)
        let ofSessions = sessions.all.map(\.attachment)
        let all = ofSessions + principals.all
        state.withLock { state in
            status.ready = state.proved
            status.state = state.proved ? "running" : state.lastEnding == nil ? "starting" : "restarting"
            status.lastEnding = state.lastEnding?.text
            status.upstreams = all.count + state.opening.count + (state.proof == nil ? 0 : 1)
            status.lateAnswers = state.past.lateAnswers
            status.unknownAnswers = state.past.unknownAnswers
            status.requests = state.past.requests
            status.outcomes = state.past.outcomes
            status.serverInfo = state.serverInfo
            status.protocolVersion = state.version
        }
        status.sessions = ofSessions.count
        status.lastActivity = sessions.lastActivity
        for upstream in all {
            upstream.inspect { multiplexer in
                status.callsInFlight += multiplexer.callsInFlight
                status.lateAnswers += multiplexer.counters.lateAnswers
                status.unknownAnswers += multiplexer.counters.unknownAnswers
                status.requests += multiplexer.counters.requests
                status.outcomes.add(multiplexer.counters.outcomes)
            }
        }
        return status
    }

    // MARK: Upstream.Owner

    package func open(_ call: InitializeCall, answer: MessageBytes, version: String, upstream: Upstream) {
        let wasOpening = state.withLock { $0.opening.removeValue(forKey: ObjectIdentifier(upstream)) != nil }
        guard wasOpening else {
            // The upstream was stopped or ended before its answer was carried out.
            let failure = CallFailure.down(server: name, upstream.inspect { $0.ending }, retryAfter: nil)
            call.sink.finish(.unavailable(failure.answer(id: call.id), retryAfter: 1))
            return
        }
        guard
            let opened = sessions.open(
                principal: call.principal, version: version, capabilities: call.capabilities, attachment: upstream)
        else {
            ports.supervisor.stop(upstream)
            call.sink.finish(ClientMessage.fullAnswer(id: call.id, server: name))
            return
        }
        if let evicted = opened.evicted { end(evicted) }
        proved(by: upstream)
        call.sink.finish(.opened(answer, session: opened.id))
        if !upstream.inspect({ $0.isRunning }) {
            // It ended while the session was being opened, so its end did not see the session.
            for session in sessions.end(where: { $0.attachment === upstream }) { end(session) }
        }
    }

    /// A client that was let in proves the server as well as the throw-away upstream would have.
    private func proved(by upstream: Upstream) {
        let (proof, isFirst) = state.withLock { state in
            defer { (state.proved, state.proof) = (true, nil) }
            return (state.proof, !state.proved)
        }
        if let proof { ports.supervisor.stop(proof) }
        gate.open(.ready)
        if isFirst { ports.observer?.serverCameUp(name) }
    }

    package func handshakeEnded(failure: String?, upstream: Upstream) {
        let isProof = state.withLock { state in
            guard upstream === state.proof else { return false }
            guard failure == nil else { return true }
            state.proof = nil
            state.proved = true
            upstream.inspect { (state.serverInfo, state.version) = $0.serverIdentity }
            return true
        }
        switch (isProof, failure) {
        case (true, nil):
            ports.supervisor.stop(upstream)
            gate.open(.ready)
            ports.observer?.serverCameUp(name)
        case (true, let failure?): gate.open(.failed(failure))
        case (false, _?): giveUp(upstream)
        case (false, nil): if principals.holds(upstream) { proved(by: upstream) }
        }
    }

    package func generationEnded(_ ending: Ending, upstream: Upstream) {
        let isProof = state.withLock { state in
            state.opening[ObjectIdentifier(upstream)] = nil
            guard upstream === state.proof else { return false }
            state.lastEnding = ending
            return true
        }
        if isProof {
            gate.open(.failed(ending.text))
            return
        }
        for session in sessions.end(where: { $0.attachment === upstream }) {
            if ending.cause != .stopped { state.withLock { $0.lastEnding = ending } }
            end(session)
        }
    }
}
