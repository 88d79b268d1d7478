// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Calls of modern clients that wait because their legacy server wants to know something of the client.
extension Multiplexer {
    /// Takes a request of a legacy server on an upstream of modern clients.
    mutating func asked(
        _ message: ServerMessage, id: RawID, method: String, now: ContinuousClock.Instant
    ) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let params = message.envelope.params.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
        guard let needed = ClientCapabilities(neededFor: method, params: params) else {
            return refuse(id, method, code: ErrorCode.methodNotFound, "method '\(method)' is not one of a client")
        }
        // One that waits for its client is in flight as well: the question may be its next one.
        let candidates = pending.filter { $0.value.held == nil && $0.value.modern?.method.mayAskForInput == true }
        guard !candidates.isEmpty else {
            return refuse(id, method, code: ErrorCode.internalError, "no call is in flight that this could belong to")
        }
        guard configuration.solePrincipal || candidates.count == 1 else {
            return refuse(
                id, method, code: ErrorCode.internalError,
                "calls of several clients may be in flight, so nobody can be asked; give each client a token")
        }
        let capable = candidates.filter { $0.value.modern?.metadata.capabilities.isSuperset(of: needed) == true }
        guard let ticket = capable.keys.filter({ !isWaiting($0) }).max() ?? capable.keys.max() else {
            if let newest = candidates.keys.max() { pending[newest]?.lacking.formUnion(needed) }
            return refuse(
                id, method, code: ErrorCode.methodNotFound, "the client did not declare what '\(method)' needs")
        }
        if let answer = pending[ticket]?.modern?.answerInAdvance(to: id) {
            return Effects(.send(MessageBytes(bytes: MessageBuilder.result(id: id, answer))))
        }
        return add(message, id, InputRequired.Request(key: "", method: method, params: params), to: ticket, now: now)
    }

    private mutating func refuse(_ id: RawID, _ method: String, code: Int, _ text: String) -> Effects {
        var effects = Effects(.send(LodgeMessage.error(id: id, code: code, message: text)))
        effects.append(.log(.refusedServerRequest(method: method)))
        return effects
    }

    /// Whether a call's client was asked and has not come back yet.
    func isWaiting(_ ticket: Ticket) -> Bool {
        guard let suspension = suspended[ticket] else { return false }
        if case .collecting = suspension.phase { return false }
        return true
    }

    private mutating func add(
        _ message: ServerMessage, _ id: RawID, _ request: InputRequired.Request, to ticket: Ticket,
        now: ContinuousClock.Instant
    ) -> Effects {
        guard suspended.count < Suspension.capacity else {
            return refuse(id, request.method, code: ErrorCode.internalError, "too many calls wait for their clients")
        }
        let expires = now.advanced(by: Suspension.lifetime)
        let until = now.advanced(by: Suspension.collectingTime)
        var suspension =
            suspended[ticket]
            ?? Suspension(phase: .collecting(until: until), round: rounds[ticket] ?? 0, expires: expires)
        let question = nextTicket()
        let key = suspension.key(for: id)
        suspension.questions.append(
            .init(
                key: key, ticket: question,
                request: InputRequired.Request(key: key, method: request.method, params: request.params)))
        suspended[ticket] = suspension
        serverRequests[question] = ServerRequest(id: id, deadline: expires)
        var effects = Effects()
        if case .collecting = suspension.phase { effects.append(arm(until)) }
        return effects
    }

    /// Drops a question that its server takes back; its call goes on without it.
    mutating func withdrawQuestion(_ question: Ticket) -> Effects {
        for (ticket, suspension) in suspended where suspension.questions.contains(where: { $0.ticket == question }) {
            suspended[ticket]?.questions.removeAll { $0.ticket == question }
            if case .collecting = suspension.phase, suspension.questions.count == 1 { suspended[ticket] = nil }
        }
        return Effects()
    }

    /// Tells the client of a call what its server wants to know.
    private mutating func tell(_ ticket: Ticket, now: ContinuousClock.Instant) -> Effects {
        guard var suspension = suspended[ticket], let call = pending[ticket], let request = call.modern else {
            return Effects()
        }
        suspension.phase = .waiting
        suspension.round += 1
        suspension.expires = now.advanced(by: Suspension.lifetime)
        rounds[ticket] = suspension.round
        suspended[ticket] = suspension
        for question in suspension.questions { serverRequests[question.ticket]?.deadline = suspension.expires }
        let answer = Effect.askForInput(
            call.sink, id: call.id, request, suspension.questions.map(\.request),
            .suspended(ticket, round: suspension.round))
        pending[ticket]?.sink = NobodySink.sink
        pending[ticket]?.session = .nobody
        pending[ticket]?.deadline = suspension.expires
        pending[ticket]?.absoluteDeadline = suspension.expires
        var effects = Effects(answer)
        effects.append(arm(suspension.expires))
        return effects
    }

    /// Goes on with a call whose client came back.
    mutating func resume(
        _ ticket: Ticket, round: UInt32, with call: PendingCall, _ request: ModernRequest, now: ContinuousClock.Instant
    ) -> (Ticket?, Effects) {
        guard var suspension = suspended[ticket], suspension.round == round else {
            return (nil, Effects(.finish(call.sink, ModernError.staleState.answer(id: call.id))))
        }
        switch suspension.phase {
        case .collecting: return (nil, Effects(.finish(call.sink, ModernError.staleState.answer(id: call.id))))
        case .answered(let message, let lacking):
            forgetSuspended(ticket)
            var call = call
            call.lacking = lacking
            return (nil, Effects(.answer(call, message)))
        case .failed(let failure):
            forgetSuspended(ticket)
            return (nil, Effects(.finish(call.sink, failure.answer(to: call, withTail: configuration.showsStderrTail))))
        case .waiting: break
        }
        var effects = Effects()
        effects.append(levelToSet(for: request))
        let answers = request.message.inputResponses
        for question in suspension.questions {
            guard let answer = answers.last(where: { $0.key == question.key })?.result,
                let asked = serverRequests.removeValue(forKey: question.ticket)
            else { continue }
            effects.append(.send(MessageBytes(bytes: MessageBuilder.result(id: asked.id, answer))))
        }
        suspension.questions.removeAll { serverRequests[$0.ticket] == nil }
        pending[ticket]?.take(over: call)
        effects.append(arm(call.deadline))
        guard suspension.questions.isEmpty else {
            // What is missing is asked for again (2026-07-28, multi round-trip requests, error handling).
            suspended[ticket] = suspension
            effects.append(contentsOf: tell(ticket, now: now))
            return (nil, effects)
        }
        suspended[ticket] = nil
        return (ticket, effects)
    }

    /// Drops what is known of a call that has ended.
    mutating func forgetSuspended(_ ticket: Ticket) {
        rounds[ticket] = nil
        guard let suspension = suspended.removeValue(forKey: ticket) else { return }
        for question in suspension.questions { serverRequests[question.ticket] = nil }
    }

    /// Keeps the outcome of a call whose client has not come back yet; false for any other call.
    mutating func keep(_ outcome: Suspension.Phase, of ticket: Ticket) -> Bool {
        guard isWaiting(ticket), var suspension = suspended[ticket] else {
            forgetSuspended(ticket)
            return false
        }
        for question in suspension.questions { serverRequests[question.ticket] = nil }
        suspension.questions = []
        suspension.phase = outcome
        suspended[ticket] = suspension
        return true
    }

    /// Tells clients what was collected, and gives up outcomes that nobody came back for.
    mutating func suspensionsDue(now: ContinuousClock.Instant, next: (ContinuousClock.Instant) -> Void) -> Effects {
        var effects = Effects()
        for (ticket, suspension) in suspended.sorted(by: { $0.key < $1.key }) {
            switch suspension.phase {
            case .collecting(let until) where until <= now: effects.append(contentsOf: tell(ticket, now: now))
            case .collecting(let until): next(until)
            case .answered, .failed:
                if suspension.expires <= now { forgetSuspended(ticket) } else { next(suspension.expires) }
            // Its call in `pending` ends by the same time.
            case .waiting: break
            }
        }
        return effects
    }
}

extension ModernRequest {
    /// What a client said to a question before it was asked: it brought answers without a state, which is its right.
    ///
    /// Only a question with a name can be meant; numbers are counted anew with every run of a server.
    fileprivate func answerInAdvance(to id: RawID) -> [UInt8]? {
        guard state == nil, let name = JSONString.decode(id.array.span, 0..<id.count) else { return nil }
        return message.inputResponses.last { $0.key == name }?.result
    }
}

extension ClientMessage {
    /// What a client says to the questions that it was asked; raw results.
    fileprivate var inputResponses: [(key: String, result: [UInt8])] {
        let buffer = bytes
        let span = buffer.readableBytesUInt8Span
        guard let params = envelope.params,
            case .value(let object) = JSONMembers.find("inputResponses", in: span, object: params)
        else { return [] }
        var answers: [(String, [UInt8])] = []
        JSONMembers.forEach(in: span, object: object) { _, name, value in
            guard let key = JSONString.decode(span, contents: name), span[value.lowerBound] == UInt8(ascii: "{") else {
                return
            }
            var result = Array(copying: span.extracting(value))
            LineBreaks.blank(&result)
            answers.append((key, result))
        }
        return answers
    }
}
