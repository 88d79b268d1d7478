// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Logging
import MCPProtocol
import NIOCore
import Synchronization

/// A live connection of Lodge to a server, as the broker's core sees it: the multiplexer, its lock, and its effects.
///
/// It does not start or end processes: a supervisor does, and reports here. State changes under one lock and returns
/// effects; effects are carried out after the lock was left, so a sink or a connection may call back in.
package final class Upstream: Sendable {
    /// Lets a client in whose `initialize` was answered, and is told how a handshake ended.
    package protocol Owner: AnyObject, Sendable {
        /// Opens a session and ends the client's request with it.
        func open(_ call: InitializeCall, answer: MessageBytes, version: String, upstream: Upstream)
        /// The server's handshake is over; nil means that it went well.
        func handshakeEnded(failure: String?, upstream: Upstream)
        /// The generation ended, or could not be started.
        func generationEnded(_ ending: Ending, upstream: Upstream)
    }

    private struct State: ~Copyable {
        var multiplexer: Multiplexer
        var connection: (any UpstreamConnection)?
        var timer: (any DeadlineTimer)?
        /// Tools that were left out of a list and told of; never more than the policy has new names.
        var namesTaken: Set<String> = []
    }

    package let server: String
    /// Tells the upstreams of this process apart, in what modern clients bring back.
    let number: UInt64
    private let state: Mutex<State>
    private let owner: Mutex<WeakOwner>
    private let now: Now
    private let callLog: (any CallLog)?
    private let logger: Logger
    private let states: RequestStates
    private let era: Era
    private let isPinned: Bool

    /// Begins anywhere, so that what an earlier process gave to its clients means no upstream of this one.
    private static let lastNumber = Atomic<UInt64>(UInt64.random(in: .min ... .max))

    private struct WeakOwner {
        weak var value: (any Owner)?
    }

    package init(_ configuration: Multiplexer.Configuration, owner: any Owner, ports: ServerPorts) {
        server = configuration.server
        number = Self.lastNumber.wrappingAdd(1, ordering: .relaxed).newValue
        states = ports.states(of: configuration.server)
        era = configuration.era
        isPinned = configuration.isPinned
        state = Mutex(State(multiplexer: Multiplexer(configuration), connection: nil, timer: nil))
        self.owner = Mutex(WeakOwner(value: owner))
        now = ports.now
        callLog = ports.callLog
        logger = ports.logger
    }

    // MARK: Reports of the supervisor

    package func generationStarted(_ connection: any UpstreamConnection, timer: any DeadlineTimer) {
        let effects = state.withLock { state in
            state.connection = connection
            state.timer = timer
            return state.multiplexer.generationStarted(now: now())
        }
        perform(effects, over: connection)
    }

    package func generationEnded(_ ending: Ending, retry: ContinuousClock.Instant?) {
        let effects = state.withLock { state in
            state.connection = nil
            return state.multiplexer.generationEnded(ending, retry: retry, now: now())
        }
        // A client that has the reason may call again at once; by then its session has to be what the owner says.
        owner.withLock { $0.value }?.generationEnded(ending, upstream: self)
        perform(effects, over: nil)
    }

    package func received(_ message: ServerMessage) {
        step { $0.received(message, now: now()) }
    }

    package func receivedUnusable(ticket: Ticket?, problem: String) {
        step { $0.receivedUnusable(ticket: ticket, problem: problem, now: now()) }
    }

    package func deadlineReached() {
        step { $0.deadlineReached(now: now()) }
    }

    // MARK: Clients

    package func initialize(_ call: InitializeCall, message: ClientMessage) -> Ticket? {
        let (ticket, effects, connection) = state.withLock { state in
            let (ticket, effects) = state.multiplexer.initialize(call, message: message, now: now())
            return (ticket, effects, state.connection)
        }
        perform(effects, over: connection)
        return ticket
    }

    package func request(_ message: ClientMessage, session: SessionKey, sink: any CallSink) -> Ticket? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let kind = ClientRequest(message.envelope, in: bytes)
        let label = callLog == nil ? nil : message.envelope.label(in: bytes, principal: message.principal)
        let (ticket, effects, connection) = state.withLock { state in
            let (ticket, effects) = state.multiplexer.request(
                message, kind: kind, label: label, session: session, sink: sink, now: now())
            return (ticket, effects, state.connection)
        }
        perform(effects, over: connection)
        return ticket
    }

    /// Takes a request of a modern client; `session` is a key that it alone has.
    func request(_ request: ModernRequest, session: SessionKey, sink: any CallSink) -> Ticket? {
        if let state = request.state, case .suspended = state.course, state.upstream != number {
            sink.finish(ModernError.staleState.answer(id: request.message.requestID))
            return nil
        }
        let buffer = request.message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let label =
            callLog == nil ? nil : request.message.envelope.label(in: bytes, principal: request.message.principal)
        let (ticket, effects, connection) = state.withLock { state in
            let (ticket, effects) =
                request.method == .listen
                ? state.multiplexer.listen(request, session: session, sink: sink, now: now())
                : state.multiplexer.request(request, label: label, session: session, sink: sink, now: now())
            return (ticket, effects, state.connection)
        }
        perform(effects, over: connection)
        return ticket
    }

    package func notification(_ message: ClientMessage, session: SessionKey) {
        step { $0.notification(message, session: session, now: now()) }
    }

    package func response(_ message: ClientMessage, session: SessionKey) {
        step { $0.response(message, session: session, now: now()) }
    }

    /// Tells what a session's client said of itself; before anything else of that session.
    func sessionOpened(_ session: SessionKey, _ declaration: ClientDeclaration?, level: LogLevel? = nil) {
        guard era == .modern else { return }
        state.withLock { $0.multiplexer.sessionOpened(session, declaration, level: level) }
    }

    /// What is wrong with the header copies of a call's arguments, as far as lists that went through here have told.
    func headerMismatch(in request: ModernRequest) -> ModernError? {
        state.withLock { $0.multiplexer.headerMismatch(in: request) }
    }

    /// Whether a modern request is about a task that began here.
    func holdsTask(of request: ModernRequest) -> Bool {
        let buffer = request.message.bytes
        let envelope = request.message.envelope
        guard let task = envelope.string(envelope.taskID, in: buffer.readableBytesUInt8Span) else { return false }
        return state.withLock { $0.multiplexer.taskOwners.isOwner(request.principal, of: task) }
    }

    package func withdraw(_ ticket: Ticket, of session: SessionKey? = nil) {
        step { $0.withdraw(ticket, of: session, now: now()) }
    }

    package func sessionEnded(_ session: SessionKey) {
        step { $0.sessionEnded(session, now: now()) }
    }

    package func streamOpened(_ stream: any StreamSink, session: SessionKey, opened: ContinuousClock.Instant) {
        step { $0.streamOpened(stream, session: session, opened: opened) }
    }

    package func streamClosed(
        _ stream: any StreamSink, session: SessionKey, unseen: [MessageBytes] = [],
        since time: ContinuousClock.Instant? = nil
    ) {
        state.withLock {
            $0.multiplexer.streamClosed(stream, session: session, unseen: unseen, now: time ?? now())
        }
    }

    /// Looks at the state under its lock.
    package func inspect<Result>(_ body: (borrowing Multiplexer) -> Result) -> Result {
        state.withLock { body($0.multiplexer) }
    }

    // MARK: Effects

    private func step(_ body: (inout Multiplexer) -> Effects) {
        let (effects, connection) = state.withLock { state in (body(&state.multiplexer), state.connection) }
        perform(effects, over: connection)
    }

    /// Carries effects out over the connection of the moment they were decided in: when that generation ends meanwhile,
    /// its calls have failed and must not reach the next one.
    private func perform(_ effects: Effects, over connection: (any UpstreamConnection)?) {
        effects.each { perform($0, over: connection) }
    }

    private func perform(_ effect: Effect, over connection: (any UpstreamConnection)?) {
        switch effect {
        case .forward(let message, let ticket):
            guard let connection else { return }
            if !connection.send(bytes(of: message, as: ticket)) {
                step { $0.notForwarded(ticket, now: now()) }
            }
        case .forwardToModern(let message, let ticket, let metadata):
            guard let connection else { return }
            if !connection.send(LodgeMessage.forwardedToModern(message, as: ticket, metadata)) {
                step { $0.notForwarded(ticket, now: now()) }
            }
        case .send(let message):
            _ = connection?.send(message)
        case .answer(let call, let message):
            call.sink.finish(answer(message, to: call))
        case .askForInput(let sink, let id, let request, let questions, let course):
            let state = states.seal(
                RequestState(upstream: number, course: course), principal: request.principal, request: request.message)
            let serverInfo = self.state.withLock { $0.multiplexer.identity?.serverInfo }
            let result = InputRequired.result(questions, state: state, serverInfo: serverInfo)
            sink.finish(.message(MessageBytes(bytes: MessageBuilder.result(id: id, result.serialized))))
        case .progress(let sink, let token, let message):
            sink.deliver(LodgeMessage.progress(message, token: token))
        case .deliver(let sink, let message): sink.deliver(message)
        case .fanOut(let streams, let message):
            // A stream that could not take it closes itself; its session lives on.
            for stream in streams { _ = stream.deliver(message) }
        case .finish(let sink, let answer): sink.finish(answer)
        case .open(let call, let answer, let version):
            owner.withLock { $0.value }?.open(call, answer: answer, version: version, upstream: self)
        case .closeStream(let stream): stream.close()
        case .record(let record): callLog?.record(record)
        case .log(let event): event.write(to: logger)
        case .handshake(let failure):
            owner.withLock { $0.value }?.handshakeEnded(failure: failure, upstream: self)
        case .arm(let deadline): state.withLock { $0.timer }?.arm(at: deadline)
        }
    }

    /// A client's request as the server gets it.
    private func bytes(of message: ClientMessage, as ticket: Ticket) -> MessageBytes {
        message.isModern && era == .legacy
            ? LodgeMessage.forwardedToLegacy(message, as: ticket) : LodgeMessage.forwarded(message, as: ticket)
    }

    private func answer(_ message: ServerMessage, to call: PendingCall) -> Answer {
        let rewritten: ServerMessage
        do throws(CallFailure) {
            rewritten = try policed(message, for: call)
        } catch {
            return error.answer(to: call, withTail: false)
        }
        guard let request = call.modern else {
            return .message(
                era == .modern
                    ? LodgeMessage.legacyAnswer(rewritten, to: call) : LodgeMessage.answer(rewritten, id: call.id))
        }
        return modernAnswer(rewritten, to: call, request)
    }

    /// The answer as the policy lets it through.
    private func policed(_ message: ServerMessage, for call: PendingCall) throws(CallFailure) -> ServerMessage {
        switch call.purpose {
        case .listTools: try filtered(message)
        case .limitedResult: try limited(message)
        default: message
        }
    }

    /// The answer of a server in the words of a modern client's era.
    private func modernAnswer(_ message: ServerMessage, to call: PendingCall, _ request: ModernRequest) -> Answer {
        // What almost every call ends with, without a copy of everything that is known of it.
        if era == .legacy, message.envelope.kind == .response, call.lacking.isEmpty, !request.method.isCacheable,
            let answer = ModernAnswer.plain(message, id: call.id, identity: call.identity)
        {
            return answer
        }
        let translation = ModernAnswer(
            call: call, request: request, identity: call.identity, isModern: era == .modern, isPinned: isPinned)
        let answer = translation.answer(to: message, server: server) { inner in
            state.withLock { $0.multiplexer.pinnedUntil = now().advanced(by: Suspension.lifetime) }
            return states.seal(
                RequestState(upstream: number, course: .server(inner)), principal: request.principal,
                request: request.message)
        }
        if era == .modern, let task = TaskOwners.begun(in: message) {
            state.withLock { state in
                state.multiplexer.taskOwners.note(task, of: request.principal)
                state.multiplexer.pinnedUntil = now().advanced(by: Suspension.lifetime)
            }
        } else if request.method == .task {
            // Whoever asks after a task will ask again.
            state.withLock { $0.multiplexer.pinnedUntil = now().advanced(by: Suspension.lifetime) }
        }
        if request.method == .listTools, let tools = AnnotatedTools.told(in: answer.bytes) {
            state.withLock { $0.multiplexer.annotatedTools.learn(tools) }
        }
        if let place = call.caching, let (result, caching) = translation.cacheable(message, answer) {
            state.withLock { $0.multiplexer.cache.keep(result, at: place, caching: caching, now: now()) }
        }
        return answer
    }

    private func filtered(_ message: ServerMessage) throws(CallFailure) -> ServerMessage {
        let policy = state.withLock { $0.multiplexer.configuration.tools }
        guard let filtered = ToolListFilter(policy: policy).applied(to: message) else {
            throw .unusable(server: server, "a list of tools that can be read in two ways")
        }
        for name in filtered.namesTaken where state.withLock({ $0.namesTaken.insert(name).inserted }) {
            logger.warning(
                "tool left out, its name was given to another by tools.rename; rename it too",
                metadata: ["tool": "\(name)"])
        }
        return filtered.message
    }

    private func limited(_ message: ServerMessage) throws(CallFailure) -> ServerMessage {
        guard let limit = state.withLock({ $0.multiplexer.configuration.resultLimit }) else { return message }
        guard let limited = ResultLimit(bytes: limit, server: server).applied(to: message) else {
            throw .unusable(server: server, "a long result that can be read in two ways")
        }
        return limited
    }
}

extension LogEvent {
    fileprivate func write(to logger: Logger) {
        switch self {
        case .lateAnswer(let ticket):
            logger.info("late answer dropped", metadata: ["ticket": "\(ticket)"])
        case .unknownAnswer(let id):
            logger.warning("answer to an unknown id dropped", metadata: ["id": "\(id)"])
        case .refusedServerRequest(let method):
            logger.warning("request of the server refused", metadata: ["method": "\(method)"])
        case .serverLogMessage(let text):
            logger.info("log message of the server", metadata: ["params": "\(text)"])
        case .unroutedNotification(let method):
            logger.debug("message of the server that belongs to no client", metadata: ["method": "\(method)"])
        case .unknownClientResponse:
            logger.debug("response of a client to a request that it was not sent")
        case .unknownCancel:
            logger.debug("cancellation of a call that is not in flight")
        }
    }
}
