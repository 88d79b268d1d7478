// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Legacy clients that are asked for what a modern server wants to know (2026-07-28, multi round-trip requests).
///
/// The call is not with the server meanwhile: it waits, held, under the ticket by which it will be sent again, and every
/// question has a ticket of its own. Both are given up together, however the call ends.
extension Multiplexer {
    /// Takes the answer of a modern server to a call.
    mutating func answeredByModern(
        _ call: PendingCall, as ticket: Ticket, _ message: ServerMessage, now: ContinuousClock.Instant
    ) -> Effects? {
        guard call.modern == nil, message.envelope.kind == .response, let raw = message.envelope.resultType else {
            return nil
        }
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        switch message.envelope.string(raw, in: bytes) {
        case "complete": return nil
        case "input_required": return askedForInput(call, as: ticket, message, now: now)
        case let type?:
            return unusable(call, "a result of type '\(type.prefix(64))', which nobody asked for", now: now)
        case nil: return unusable(call, "a result whose type is no text", now: now)
        }
    }

    private mutating func unusable(_ call: PendingCall, _ problem: String, now: ContinuousClock.Instant) -> Effects {
        let failure = CallFailure.unusable(server: configuration.server, problem)
        return finish(call, with: failure, outcome: .failed, now: now)
    }

    private mutating func askedForInput(
        _ call: PendingCall, as ticket: Ticket, _ message: ServerMessage, now: ContinuousClock.Instant
    ) -> Effects {
        guard var driven = call.driven else {
            return unusable(call, "a request for input to a method that takes none", now: now)
        }
        guard driven.rounds < DrivenCall.maximumRounds else {
            return unusable(call, "more than \(DrivenCall.maximumRounds) requests for input", now: now)
        }
        let buffer = message.bytes
        let input: InputQuestions
        do throws(InputQuestions.Problem) {
            input = try InputQuestions(message.envelope, in: buffer.readableBytesUInt8Span)
        } catch {
            return unusable(call, error.text, now: now)
        }
        let declared = child.declarations[call.session]?.capabilities ?? []
        if let question = input.questions.first(where: { !declared.isSuperset(of: $0.needed) }) {
            return refuse(
                call, "the server asks by '\(question.request.method)', which the client did not declare", now: now)
        }
        driven.rounds += 1
        driven.first = driven.first ?? ticket
        let next = nextTicket()
        driven.current = next
        if let first = driven.first { child.moved[first] = next }
        var call = call
        call.driven = driven
        call.held = driven.message
        call.deadline = now.advanced(by: configuration.callTimeout)
        pending[next] = call
        let state = input.state.map { state in
            var state = state
            LineBreaks.blank(&state)
            return state
        }
        child.asking[next] = .init(questions: [], state: state)
        var effects = Effects()
        for question in input.questions {
            guard let asked = ask(question.request, of: call, as: next) else {
                effects.append(contentsOf: closeQuestions(of: call))
                pending[next] = nil
                effects.append(
                    contentsOf: refuse(
                        call, "the server asks by '\(question.request.method)', and the client takes no questions now",
                        now: now))
                return effects
            }
            effects.append(contentsOf: asked)
        }
        effects.append(arm(min(call.deadline, call.absoluteDeadline)))
        if input.questions.isEmpty { effects.append(contentsOf: sendAgain(next, now: now)) }
        return effects
    }

    private mutating func refuse(_ call: PendingCall, _ text: String, now: ContinuousClock.Instant) -> Effects {
        var effects = Effects(
            .finish(
                call.sink, .message(LodgeMessage.error(id: call.id, code: ErrorCode.invalidRequest, message: text))))
        effects.append(ended(call, .error, now: now))
        return effects
    }

    /// Puts a question to the client of a call; nil where there is no way to it.
    private mutating func ask(
        _ request: InputRequired.Request, of call: PendingCall, as ticket: Ticket
    ) -> Effects? {
        let question = nextTicket()
        let message = LodgeMessage.request(
            id: RawID(question), request.method, request.legacyParams(elicitationID: "lodge-\(question)"))
        child.asking[ticket]?.questions.append(.init(ticket: question, key: request.key, method: request.method))
        child.questions[question] = ticket
        if let way = wayToClient(of: call, message) { return Effects(way) }
        guard configuration.audience == .session, outbox.add(request: message, ticket: question) else { return nil }
        return Effects()
    }

    private func wayToClient(of call: PendingCall, _ message: MessageBytes) -> Effect? {
        if call.sink.acceptsStream { return .deliver(call.sink, message) }
        if let stream = streams[call.session] { return .fanOut([stream], message) }
        return call.sink.keepsMessages ? .deliver(call.sink, message) : nil
    }

    /// Takes a client's response, which answers a question only in the session that was asked.
    mutating func answeredQuestion(
        _ message: ClientMessage, session: SessionKey, now: ContinuousClock.Instant
    ) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard ambiguity(in: message) == nil, let range = message.envelope.id,
            let question = RawID.integer(in: bytes, range), let ticket = child.questions[question],
            let call = pending[ticket], call.session == session,
            let index = child.asking[ticket]?.questions.firstIndex(where: { $0.ticket == question })
        else { return Effects(.log(.unknownClientResponse)) }
        child.questions[question] = nil
        var answer = Array(#"{"action":"cancel"}"#.utf8)
        if message.envelope.kind == .response, let result = message.envelope.result {
            answer = Array(copying: bytes.extracting(result))
            LineBreaks.blank(&answer)
        } else if child.asking[ticket]?.questions[index].method != "elicitation/create" {
            // What the client says of it is what its call ends with.
            pending[ticket] = nil
            var effects = closeQuestions(of: call)
            effects.append(.finish(call.sink, .message(LodgeMessage.replacing(range, with: call.id, in: message))))
            effects.append(ended(call, .error, now: now))
            return effects
        }
        child.asking[ticket]?.questions[index].answer = answer
        pending[ticket]?.deadline = now.advanced(by: configuration.callTimeout)
        guard child.asking[ticket]?.questions.allSatisfy({ $0.answer != nil }) == true else { return Effects() }
        return sendAgain(ticket, now: now)
    }

    /// Sends a call again, with everything that the server asked for.
    private mutating func sendAgain(_ ticket: Ticket, now: ContinuousClock.Instant) -> Effects {
        guard let asking = child.asking.removeValue(forKey: ticket), let call = pending[ticket],
            let message = call.held
        else { return Effects() }
        pending[ticket]?.held = nil
        pending[ticket]?.deadline = now.advanced(by: configuration.callTimeout)
        let answers = asking.questions.map { (key: $0.key, result: $0.answer ?? []) }
        return Effects(
            forwarding(message, of: call, as: ticket, continuation: .init(answers: answers, state: asking.state)))
    }

    /// Takes back what the client of a call is still asked, because the call ends.
    mutating func closeQuestions(of call: PendingCall) -> Effects {
        var effects = Effects()
        guard let ticket = call.driven?.current, let asking = child.asking[ticket] else { return effects }
        for question in asking.questions where question.answer == nil && child.questions[question.ticket] != nil {
            if outbox.remove(question.ticket) { continue }
            let notice = LodgeMessage.cancelled(question.ticket, reason: "the call has ended")
            effects.append(wayToClient(of: call, notice))
        }
        forgetQuestions(of: call)
        return effects
    }

    /// Frees what is kept of a call's questions.
    mutating func forgetQuestions(of call: PendingCall) {
        guard let driven = call.driven, let first = driven.first, let current = driven.current else { return }
        child.moved[first] = nil
        for question in child.asking.removeValue(forKey: current)?.questions ?? [] {
            child.questions[question.ticket] = nil
            _ = outbox.remove(question.ticket)
        }
    }
}
