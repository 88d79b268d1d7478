// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import NIOCore

extension Multiplexer {
    /// Takes a client's request that is not `initialize`.
    ///
    /// - Returns: the ticket to withdraw it by; nil where it was answered at once.
    mutating func request(
        _ message: ClientMessage, kind: ClientRequest, label: CallLabel?, session: SessionKey, sink: any CallSink,
        now: ContinuousClock.Instant
    ) -> (Ticket?, Effects) {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let idRange = message.envelope.id else { return (nil, Effects()) }
        counters.requests += 1
        let id = RawID(bytes, idRange)
        let deadline = now.advanced(by: configuration.callTimeout)
        let call = PendingCall(
            sink: sink, session: session, id: id,
            token: message.envelope.progressToken.map { RawID(bytes, $0) }, purpose: purpose(of: message, kind: kind),
            label: label, started: now, deadline: deadline,
            absoluteDeadline: now.advanced(by: configuration.absoluteTimeout), held: nil)
        var effects = Effects()
        if let answer = answeredHere(message, kind: kind, id: id, session: session) {
            effects.append(.finish(sink, .message(answer)))
            if kind == .callTool || kind == .task {
                effects.append(ended(call, .refused, now: now))
            }
            return (nil, effects)
        }
        let message = kind == .callTool ? asTheServerNamesIt(message) : message
        let (ticket, admission) = admit(call, message, now: now)
        effects.append(contentsOf: admission)
        return (ticket, effects)
    }

    /// Sends a call to the server, or holds it until there is one.
    mutating func admit(
        _ call: PendingCall, _ message: ClientMessage, now: ContinuousClock.Instant
    ) -> (Ticket?, Effects) {
        var call = call
        var effects = Effects()
        let ticket = nextTicket()
        switch phase {
        case .ready:
            effects.append(.forward(message, ticket))
            if call.sink.acceptsStream, let waiting = outbox.takeRequests() {
                for message in waiting { effects.append(.deliver(call.sink, message)) }
            }
        case .down(let ending, retry: nil):
            let failure = CallFailure.down(server: configuration.server, ending, retryAfter: nil)
            effects.append(contentsOf: finish(call, with: failure, outcome: .failed, now: now))
            return (nil, effects)
        case .idle, .starting, .down:
            call.held = message
            held.append(ticket)
            effects.append(retryHandshake())
        }
        pending[ticket] = call
        effects.append(arm(min(call.deadline, call.absoluteDeadline)))
        return (ticket, effects)
    }

    /// What becomes of the answer; a request that lacks what its method needs is only passed on.
    private func purpose(of message: ClientMessage, kind: ClientRequest) -> PendingCall.Purpose {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let isForMany = configuration.isForMany
        switch kind {
        case .subscribe where isForMany:
            return message.envelope.string(message.envelope.uri, in: bytes).map { .subscribe(uri: $0) } ?? .relay
        case .unsubscribe where isForMany:
            return message.envelope.string(message.envelope.uri, in: bytes).map { .unsubscribe(uri: $0) } ?? .relay
        case .setLevel:
            return message.envelope.logLevel(in: bytes).map { .setLevel($0) } ?? .relay
        case .listTools where !configuration.tools.allowsEverything:
            return .listTools
        case .callTool where configuration.resultLimit != nil, .task where configuration.resultLimit != nil:
            return .limitedResult
        default:
            return .relay
        }
    }

    /// The answers that never leave Lodge: pings, what the policy or the isolation withholds, and what is shared.
    private mutating func answeredHere(
        _ message: ClientMessage, kind: ClientRequest, id: RawID, session: SessionKey
    ) -> MessageBytes? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        if let member = ambiguity(in: message) {
            return LodgeMessage.error(
                id: id, code: -32600, message: "'\(member)' can be read in two ways; write it once, in its own case")
        }
        if configuration.withholdsTasks, kind == .task || (kind == .callTool && message.envelope.task != nil) {
            let isolation = configuration.isolation.rawValue
            return LodgeMessage.error(
                id: id, code: -32601,
                message: "tasks are not relayed in \(isolation) isolation; serve with --isolation client")
        }
        switch kind {
        case .ping:
            return LodgeMessage.emptyResult(id: id)
        case .callTool where !configuration.tools.allowsEverything:
            let name = message.envelope.string(message.envelope.name, in: bytes)
            guard name.map(configuration.tools.allows) != true else { return nil }
            return LodgeMessage.error(id: id, code: -32602, message: "unknown tool: \(name ?? "")")
        case .subscribe where configuration.isForMany:
            guard let uri = message.envelope.string(message.envelope.uri, in: bytes), isReady,
                subscriptions.join(session, uri: uri)
            else { return nil }
            return LodgeMessage.emptyResult(id: id)
        case .unsubscribe where configuration.isForMany:
            guard let uri = message.envelope.string(message.envelope.uri, in: bytes) else { return nil }
            forgetSubscribing(session, uri: uri)
            guard subscriptions.leave(session, uri: uri) == .othersRemain else { return nil }
            return LodgeMessage.emptyResult(id: id)
        case .setLevel where configuration.isForMany:
            // The level of a shared server is the most verbose that anybody asked for.
            guard let level = message.envelope.logLevel(in: bytes), isReady, let lowest = levels.values.min(),
                lowest <= level
            else { return nil }
            levels[session] = level
            return LodgeMessage.emptyResult(id: id)
        default:
            return nil
        }
    }

    /// A call that the policy allows, with the server's own name of its tool.
    func asTheServerNamesIt(_ message: ClientMessage) -> ClientMessage {
        guard !configuration.tools.allowsEverything else { return message }
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let name = message.envelope.string(message.envelope.name, in: bytes),
            let own = configuration.tools.ownName(of: name), own != name
        else { return message }
        return message.calling(tool: own)
    }

    /// Asked of every message of a client before anything is made of it.
    func ambiguity(in message: ClientMessage) -> String? {
        let buffer = message.bytes
        return Ambiguity.member(
            in: message.envelope, buffer.readableBytesUInt8Span, isPoliced: !configuration.tools.allowsEverything)
    }

    /// Makes nothing of the answers to a session's own earlier requests to subscribe, since it has left meanwhile.
    private mutating func forgetSubscribing(_ session: SessionKey, uri: String) {
        for (ticket, call) in pending where call.session == session && call.purpose == .subscribe(uri: uri) {
            pending[ticket]?.purpose = .relay
        }
    }

    /// Takes a client's notification.
    mutating func notification(
        _ message: ClientMessage, session: SessionKey, now: ContinuousClock.Instant
    ) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard ambiguity(in: message) == nil else { return Effects() }
        switch ClientNotification(message.envelope, in: bytes) {
        case .cancelled:
            return cancelled(message, session: session, now: now)
        case .initialized:
            guard !configuration.ownHandshake, !toldInitialized, isReady else { return Effects() }
            toldInitialized = true
            return Effects(.send(LodgeMessage.oneLine(message)))
        case .rootsListChanged where configuration.isForMany,
            .progress where configuration.isForMany:
            // A shared server was told of no roots, and asked this client for nothing.
            return Effects()
        case .progress, .rootsListChanged, .other:
            // A request's method without an id must not slip past the rules for that request.
            guard isReady, ClientRequest(message.envelope, in: bytes) == .other else { return Effects() }
            return Effects(.send(LodgeMessage.oneLine(message)))
        }
    }

    /// Takes a client's response to a request of the server.
    mutating func response(_ message: ClientMessage) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard ambiguity(in: message) == nil, let range = message.envelope.id,
            let ticket = RawID.integer(in: bytes, range), let request = serverRequests.removeValue(forKey: ticket)
        else { return Effects(.log(.unknownClientResponse)) }
        return Effects(.send(LodgeMessage.replacing(range, with: request.id, in: message)))
    }

    private mutating func cancelled(
        _ message: ClientMessage, session: SessionKey, now: ContinuousClock.Instant
    ) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.requestID else { return Effects() }
        let id = RawID(bytes, range)
        // A session may use one id for several calls at once; then the cancellation means each of them.
        let tickets = pending.filter { $0.value.session == session && $0.value.id == id }.map(\.key).sorted()
        guard !tickets.isEmpty else { return Effects(.log(.unknownCancel)) }
        var effects = Effects()
        for ticket in tickets {
            guard let call = remove(ticket) else { continue }
            if call.held == nil {
                effects.append(.send(LodgeMessage.replacing(range, with: RawID(ticket), in: message)))
            }
            // MCP 2025-11-25, cancellation: the receiver does not respond. The exchange has to end all the same.
            effects.append(
                .finish(call.sink, .message(CallFailure.cancelled(server: configuration.server).answer(id: call.id))))
            effects.append(ended(call, .cancelled, now: now))
        }
        return effects
    }

    /// Gives a call up because its client left; nothing is sent to that client any more.
    ///
    /// - Parameter session: whose the call has to be still; another request may go on with it meanwhile. Nil for any.
    mutating func withdraw(_ ticket: Ticket, of session: SessionKey? = nil, now: ContinuousClock.Instant) -> Effects {
        if let session, let call = pending[ticket], call.session != session { return Effects() }
        if let call = initializing[ticket] {
            // `initialize` must not be cancelled; its answer is dropped as late.
            if call.held == nil, !configuration.ownHandshake { given.insert(ticket) }
            initializing[ticket] = nil
            return Effects()
        }
        if let effects = stopListening(ticket) { return effects }
        guard let call = remove(ticket) else { return Effects() }
        var effects = Effects()
        if call.held == nil { effects.append(.send(LodgeMessage.cancelled(ticket, reason: "the client left"))) }
        effects.append(ended(call, .cancelled, now: now))
        return effects
    }

    /// Reports that a forwarded message could not be written because the server does not read.
    mutating func notForwarded(_ ticket: Ticket, now: ContinuousClock.Instant) -> Effects {
        let failure = CallFailure.notReading(server: configuration.server)
        if let waiting = initializing.removeValue(forKey: ticket) {
            return Effects(.finish(waiting.sink, .unavailable(failure.answer(id: waiting.id), retryAfter: 1)))
        }
        guard let call = pending.removeValue(forKey: ticket) else { return Effects() }
        return finish(call, with: failure, outcome: .failed, now: now)
    }

    /// Takes a call out, so that a later answer to it counts as late.
    mutating func remove(_ ticket: Ticket) -> PendingCall? {
        guard let call = pending.removeValue(forKey: ticket) else { return nil }
        if call.held == nil { given.insert(ticket) } else { held.removeAll { $0 == ticket } }
        if call.modern != nil { forgetSuspended(ticket) }
        return call
    }

    mutating func finish(
        _ call: PendingCall, with failure: CallFailure, outcome: CallRecord.Outcome, now: ContinuousClock.Instant
    ) -> Effects {
        var answer = failure.answer(to: call, withTail: configuration.showsStderrTail)
        if configuration.outageIsUnavailable, failure.isOutage {
            answer = .unavailable(answer.bytes, retryAfter: failure.secondsToRetry)
        }
        var effects = Effects(.finish(call.sink, answer))
        effects.append(ended(call, outcome, now: now))
        return effects
    }

    /// Counts the end of a call, and records it where somebody keeps a log of calls.
    mutating func ended(
        _ call: PendingCall, _ outcome: CallRecord.Outcome, answerBytes: Int = 0, now: ContinuousClock.Instant
    ) -> Effect? {
        counters.outcomes[outcome] += 1
        return call.record(server: configuration.server, outcome: outcome, answerBytes: answerBytes, now: now)
            .map(Effect.record)
    }
}
