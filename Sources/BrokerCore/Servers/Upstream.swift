// SPDX-License-Identifier: Apache-2.0
import JSONRPC
package import Logging
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
    private let state: Mutex<State>
    private let owner: Mutex<WeakOwner>
    private let now: Now
    private let callLog: (any CallLog)?
    private let logger: Logger

    private struct WeakOwner {
        weak var value: (any Owner)?
    }

    package init(
        _ configuration: Multiplexer.Configuration, owner: any Owner, callLog: (any CallLog)?, logger: Logger,
        now: @escaping Now
    ) {
        server = configuration.server
        state = Mutex(State(multiplexer: Multiplexer(configuration), connection: nil, timer: nil))
        self.owner = Mutex(WeakOwner(value: owner))
        self.now = now
        self.callLog = callLog
        self.logger = logger
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

    package func notification(_ message: ClientMessage, session: SessionKey) {
        step { $0.notification(message, session: session, now: now()) }
    }

    package func response(_ message: ClientMessage) {
        step { $0.response(message) }
    }

    package func withdraw(_ ticket: Ticket) {
        step { $0.withdraw(ticket, now: now()) }
    }

    package func sessionEnded(_ session: SessionKey) {
        step { $0.sessionEnded(session, now: now()) }
    }

    package func streamOpened(_ stream: any StreamSink, session: SessionKey, opened: ContinuousClock.Instant) {
        step { $0.streamOpened(stream, session: session, opened: opened) }
    }

    package func streamClosed(_ stream: any StreamSink, session: SessionKey) {
        state.withLock { $0.multiplexer.streamClosed(stream, session: session, now: now()) }
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
            if !connection.send(LodgeMessage.forwarded(message, as: ticket)) {
                step { $0.notForwarded(ticket, now: now()) }
            }
        case .send(let message):
            _ = connection?.send(message)
        case .answer(let call, let message):
            call.sink.finish(.message(answer(message, to: call)))
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

    private func answer(_ message: ServerMessage, to call: PendingCall) -> MessageBytes {
        switch call.purpose {
        case .listTools: filtered(message, for: call)
        case .limitedResult: limited(message, for: call)
        default: LodgeMessage.answer(message, id: call.id)
        }
    }

    private func filtered(_ message: ServerMessage, for call: PendingCall) -> MessageBytes {
        let policy = state.withLock { $0.multiplexer.configuration.tools }
        guard let filtered = ToolListFilter(policy: policy).applied(to: message) else {
            let failure = CallFailure.unusable(server: server, "a list of tools that can be read in two ways")
            return failure.answer(id: call.id)
        }
        for name in filtered.namesTaken where state.withLock({ $0.namesTaken.insert(name).inserted }) {
            logger.warning(
                "tool left out, its name was given to another by tools.rename; rename it too",
                metadata: ["tool": "\(name)"])
        }
        return LodgeMessage.answer(filtered.message, id: call.id)
    }

    private func limited(_ message: ServerMessage, for call: PendingCall) -> MessageBytes {
        guard let limit = state.withLock({ $0.multiplexer.configuration.resultLimit }) else {
            return LodgeMessage.answer(message, id: call.id)
        }
        guard let limited = ResultLimit(bytes: limit, server: server).applied(to: message) else {
            let failure = CallFailure.unusable(server: server, "a long result that can be read in two ways")
            return failure.answer(id: call.id)
        }
        return LodgeMessage.answer(limited, id: call.id)
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
