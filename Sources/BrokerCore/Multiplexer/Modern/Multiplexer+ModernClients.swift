// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore

/// Requests of modern clients.
///
/// A listening client is a request without an end; it has a table of its own, because no time limit and no answer of
/// the server belongs to it.
extension Multiplexer {
    /// Takes a request of a modern client.
    ///
    /// - Parameter session: a key that this request alone has.
    /// - Returns: the ticket to withdraw it by; nil where it was answered at once.
    mutating func request(
        _ request: ModernRequest, label: CallLabel?, session: SessionKey, sink: any CallSink,
        now: ContinuousClock.Instant
    ) -> (Ticket?, Effects) {
        let buffer = request.message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let envelope = request.message.envelope
        guard let idRange = envelope.id else { return (nil, Effects()) }
        counters.requests += 1
        var call = PendingCall(
            sink: sink, session: session, id: RawID(bytes, idRange),
            token: envelope.progressToken.map { RawID(bytes, $0) }, purpose: purpose(of: request), label: label,
            started: now, deadline: now.advanced(by: configuration.callTimeout),
            absoluteDeadline: now.advanced(by: configuration.absoluteTimeout), held: nil)
        call.modern = request
        call.identity = identity
        if let error = refusal(of: request) {
            var effects = Effects(.finish(sink, error.answer(id: call.id)))
            if request.method == .callTool || request.method == .task {
                effects.append(ended(call, .refused, now: now))
            }
            return (nil, effects)
        }
        if let state = request.state, case .suspended(let ticket, let round) = state.course {
            return resume(ticket, round: round, with: call, request, now: now)
        }
        if let answer = answeredFromHere(call, request, now: now) { return (nil, Effects(.finish(sink, answer))) }
        if isReady { call.caching = cache.place(for: request) }
        var effects = Effects()
        if isReady, let level = levelToSet(for: request) { effects.append(level) }
        var message = request.message
        if let state = request.state, case .server(let inner) = state.course {
            pinnedUntil = nil
            guard let own = message.continuing(with: inner) else {
                return (nil, Effects(.finish(sink, ModernError.staleState.answer(id: call.id))))
            }
            message = own
        }
        if request.method == .callTool { message = asTheServerNamesIt(message) }
        let (ticket, admission) = admit(call, message, now: now)
        effects.append(contentsOf: admission)
        return (ticket, effects)
    }

    private func purpose(of request: ModernRequest) -> PendingCall.Purpose {
        switch request.method {
        case .listTools where !configuration.tools.allowsEverything: .listTools
        case .callTool where configuration.resultLimit != nil, .task where configuration.resultLimit != nil:
            .limitedResult
        default: .relay
        }
    }

    /// What no server is asked: what cannot be read in one way, what this era does not have, what the policy withholds.
    private func refusal(of request: ModernRequest) -> ModernError? {
        let message = request.message
        if let member = ambiguity(in: message) { return .ambiguous(member) }
        switch request.method {
        case .removed: return .removedMethod(request.methodName)
        case .task where configuration.era == .legacy: return .unknownMethod(request.methodName)
        case .task where configuration.audience == .everybody:
            let buffer = message.bytes
            let task = message.envelope.string(message.envelope.taskID, in: buffer.readableBytesUInt8Span)
            guard task.map({ taskOwners.isOwner(request.principal, of: $0) }) != true else { return nil }
            return ModernError(code: ErrorCode.invalidParams, message: "unknown task: \(task ?? "")")
        case .callTool where configuration.era == .legacy && message.envelope.task != nil:
            // A legacy server would answer with a task that no modern client can ask for.
            return ModernError(
                code: ErrorCode.invalidParams,
                message: "params.task is not one of revision \(ModernRevision.newest); call without it")
        case .callTool where !configuration.tools.allowsEverything:
            let buffer = message.bytes
            let name = message.envelope.string(message.envelope.name, in: buffer.readableBytesUInt8Span)
            guard name.map(configuration.tools.allows) == true else {
                return ModernError(code: ErrorCode.invalidParams, message: "unknown tool: \(name ?? "")")
            }
            return headerMismatch(in: request)
        case .callTool: return headerMismatch(in: request)
        default: return nil
        }
    }

    /// What is wrong with the header copies of a call's arguments, as far as lists have told of them.
    func headerMismatch(in request: ModernRequest) -> ModernError? {
        guard request.method == .callTool, !annotatedTools.isEmpty else { return nil }
        let buffer = request.message.bytes
        let envelope = request.message.envelope
        return envelope.string(envelope.name, in: buffer.readableBytesUInt8Span)
            .flatMap(annotatedTools.headers(of:)).flatMap(request.headerMismatch)
    }

    /// What is answered without the server, once it is known who that is.
    private func answeredFromHere(
        _ call: PendingCall, _ request: ModernRequest, now: ContinuousClock.Instant
    ) -> Answer? {
        guard isReady, let identity else { return nil }
        if request.method == .discover {
            return .message(MessageBytes(bytes: MessageBuilder.result(id: call.id, identity.discovery)))
        }
        guard let result = cache.result(for: request, now: now) else { return nil }
        return .message(MessageBytes(bytes: MessageBuilder.result(id: call.id, result)))
    }

    /// Goes on with a call that was held until the server was ready: sends it, or answers it.
    mutating func letGo(_ ticket: Ticket, _ message: ClientMessage, now: ContinuousClock.Instant) -> Effects {
        guard let call = pending[ticket], let request = call.modern else {
            guard let call = pending[ticket] else { return Effects() }
            return Effects(forwarding(message, of: call, as: ticket))
        }
        if let answer = answeredFromHere(call, request, now: now) {
            pending[ticket] = nil
            return Effects(.finish(call.sink, answer))
        }
        pending[ticket]?.caching = cache.place(for: request)
        pending[ticket]?.identity = identity
        var effects = Effects()
        effects.append(levelToSet(for: request))
        effects.append(.forward(message, ticket))
        return effects
    }

    // MARK: Log levels

    /// Asks a legacy server for the most verbose level that a request wants, since its level is one for all.
    mutating func levelToSet(for request: ModernRequest) -> Effect? {
        guard configuration.era == .legacy, configuration.audience != .everybody,
            let level = request.metadata.logLevel, identity?.capabilities?["logging"] != nil,
            serverLevel.map({ level < $0 }) ?? true
        else { return nil }
        serverLevel = level
        return upkeep(level: level)
    }

    /// The call that a log message of the server belongs to; nil where that cannot be told.
    ///
    /// A legacy server does not say. Where one client alone uses it the newest call that asked for such messages is as
    /// right as any other of its calls; where several may, only a call that is alone in flight is.
    func listener(to level: LogLevel?) -> (any CallSink)? {
        let inFlight = pending.filter { $0.value.held == nil && $0.value.modern != nil }
        guard configuration.solePrincipal || inFlight.count == 1 else { return nil }
        let asked = inFlight.filter { call in
            guard !isWaiting(call.key), let wished = call.value.modern?.metadata.logLevel, let level else {
                return false
            }
            return wished <= level
        }
        return asked.max { $0.key < $1.key }?.value.sink
    }
}
