// SPDX-License-Identifier: Apache-2.0
import JSONRPC

extension Multiplexer {
    /// Gives up what is over its time, and arms the timer for what is next.
    mutating func deadlineReached(now: ContinuousClock.Instant) -> Effects {
        armed = nil
        var effects = Effects()
        var next: ContinuousClock.Instant?
        func consider(_ deadline: ContinuousClock.Instant) { next = min(next ?? deadline, deadline) }

        var over: [Ticket] = []
        for (ticket, call) in pending {
            let deadline = min(call.deadline, call.absoluteDeadline)
            if deadline <= now { over.append(ticket) } else { consider(deadline) }
        }
        for ticket in over.sorted() { effects.append(contentsOf: timedOut(ticket, now: now)) }
        effects.append(contentsOf: suspensionsDue(now: now) { consider($0) })

        for (ticket, call) in initializing.sorted(by: { $0.key < $1.key }) {
            guard call.deadline <= now else {
                consider(call.deadline)
                continue
            }
            initializing[ticket] = nil
            if call.held == nil, !configuration.ownHandshake { given.insert(ticket) }
            let failure = CallFailure.stillStarting(server: configuration.server, after: configuration.startTimeout)
            effects.append(.finish(call.sink, .unavailable(failure.answer(id: call.id), retryAfter: 1)))
        }

        for (ticket, request) in serverRequests.sorted(by: { $0.key < $1.key }) {
            guard request.deadline <= now else {
                consider(request.deadline)
                continue
            }
            serverRequests[ticket] = nil
            _ = outbox.remove(ticket)
            let text = "the client did not answer within \(configuration.callTimeout.text)"
            effects.append(.send(LodgeMessage.error(id: request.id, code: CallFailure.code, message: text)))
        }
        if let next { effects.append(arm(next)) }
        return effects
    }

    private mutating func timedOut(_ ticket: Ticket, now: ContinuousClock.Instant) -> Effects {
        let isAsking = child.asking[ticket] != nil
        guard let call = remove(ticket) else { return Effects() }
        if isAsking {
            let failure = CallFailure.unansweredQuestion(server: configuration.server, after: configuration.callTimeout)
            return finish(call, with: failure, outcome: .timedOut, now: now)
        }
        if call.held != nil {
            let waited = call.started.duration(to: now)
            let failure = CallFailure.stillStarting(server: configuration.server, after: waited)
            return finish(call, with: failure, outcome: .timedOut, now: now)
        }
        let absolute = call.absoluteDeadline <= now
        let limit = absolute ? configuration.absoluteTimeout : configuration.callTimeout
        let failure = CallFailure.timedOut(server: configuration.server, after: limit, absolute: absolute)
        var effects = Effects(.send(LodgeMessage.cancelled(ticket, reason: "the call timed out")))
        effects.append(contentsOf: finish(call, with: failure, outcome: .timedOut, now: now))
        return effects
    }
}
