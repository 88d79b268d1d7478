// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Synchronization

/// A client's request that takes several steps or several members: it ends once, whatever ends it.
///
/// It keeps what its steps have under way, so that a client that leaves or cancels gives all of it up.
final class Operation: Sendable {
    private enum State {
        case running([CallTicket])
        case over
    }

    let id: RawID
    private let sink: any CallSink
    private let state = Mutex(State.running([]))
    private let onEnd: @Sendable (Operation) -> Void

    /// - Parameter onEnd: is called once, outside the lock, before the answer is handed over.
    init(id: RawID, sink: any CallSink, onEnd: @escaping @Sendable (Operation) -> Void) {
        self.id = id
        self.sink = sink
        self.onEnd = onEnd
    }

    /// What the transport keeps of the request.
    var ticket: CallTicket { CallTicket { self.withdraw() } }

    var acceptsStream: Bool { sink.acceptsStream }

    var isOver: Bool { state.withLock { if case .over = $0 { true } else { false } } }

    /// Keeps what one step has under way; gives it up at once where the operation is over.
    func keep(_ ticket: CallTicket) {
        let isOver = state.withLock { state in
            guard case .running(let tickets) = state else { return true }
            state = .running(tickets + [ticket])
            return false
        }
        if isOver { ticket.abandon() }
    }

    /// Keeps what became of a member's part at once; answers the error where it was refused.
    func keep(_ admission: Admission) -> MessageBytes? {
        switch admission {
        case .pending(let ticket): keep(ticket)
        case .accepted: break
        case .refused(_, let bytes): return bytes
        }
        return nil
    }

    func deliver(_ message: MessageBytes) { if !isOver { sink.deliver(message) } }

    /// Ends the request with its answer; what else is under way for it is given up. Only the first end counts.
    @discardableResult
    func finish(_ answer: Answer) -> Bool {
        guard end() else { return false }
        sink.finish(answer)
        return true
    }

    func finish(_ message: MessageBytes) { finish(.message(message)) }

    private func withdraw() { _ = end() }

    private func end() -> Bool {
        let tickets = state.withLock { state -> [CallTicket]? in
            guard case .running(let tickets) = state else { return nil }
            state = .over
            return tickets
        }
        guard let tickets else { return false }
        onEnd(self)
        // What was answered is not given up any more: that has no effect.
        for ticket in tickets { ticket.abandon() }
        return true
    }
}

/// Hands the answer of a member's part to a closure.
final class AnswerSink: CallSink {
    private let body: @Sendable (Answer) -> Void

    init(_ body: @escaping @Sendable (Answer) -> Void) { self.body = body }

    var acceptsStream: Bool { false }
    func deliver(_ message: MessageBytes) {}
    func finish(_ answer: Answer) { body(answer) }
}
