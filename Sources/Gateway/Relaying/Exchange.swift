// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// One POST with requests in it, from its dispatch to the end of its response: the sink of their answers.
///
/// It is not the connection. Until the ``ExchangeState`` has decided it belongs to the ``RelayHandler`` that made it, and
/// ends with its connection; an answer that became a stream goes on for as long as the ``EventStream`` is read or kept.
// Sound: everything mutable but the atomics is touched on the event loop only, where messages from elsewhere are sent.
final class Exchange: CallSink, EventStreamOwner, @unchecked Sendable {
    private let mayStream: Bool
    /// Whether the client has left the stream and may come back to it.
    private let isLeft = Atomic<Bool>(false)
    private let eventLoop: any EventLoop
    private let meters: GatewayMeters
    /// Messages that are on their way to the event loop, which one from the loop itself must not overtake.
    private let underway = Atomic<Int>(0)
    private var state: ExchangeState
    private var tickets: [CallTicket] = []
    /// The first ticket stands apart: most exchanges have one.
    private var ticket: CallTicket?
    private var handler: RelayHandler?
    private var stream: EventStream?

    init(_ state: ExchangeState, handler: RelayHandler, eventLoop: any EventLoop, meters: GatewayMeters) {
        self.state = state
        self.handler = handler
        self.eventLoop = eventLoop
        self.meters = meters
        mayStream = state.acceptsStream
        meters.exchanges.add(1, ordering: .relaxed)
    }

    deinit { meters.exchanges.subtract(1, ordering: .relaxed) }

    // MARK: CallSink

    /// What belongs to no request takes another way while nobody reads this one.
    var acceptsStream: Bool { mayStream && !isLeft.load(ordering: .relaxed) }
    var keepsMessages: Bool { isLeft.load(ordering: .relaxed) }

    func deliver(_ message: MessageBytes) {
        if isNext { return take(message) }
        later { $0.take(message) }
    }

    func finish(_ answer: Answer) {
        if isNext { return take(answer) }
        later { $0.take(answer) }
    }

    /// Whether what comes now may be handled now: on the event loop, with nothing before it still on its way there.
    @inline(__always)
    private var isNext: Bool { eventLoop.inEventLoop && underway.load(ordering: .acquiring) == 0 }

    private func later(_ body: @escaping @Sendable (Exchange) -> Void) {
        underway.add(1, ordering: .acquiringAndReleasing)
        eventLoop.execute {
            self.underway.subtract(1, ordering: .acquiringAndReleasing)
            body(self)
        }
    }

    private func take(_ message: MessageBytes) { perform(state.message(message)) }
    private func take(_ answer: Answer) { perform(state.answer(answer)) }

    // MARK: For the handler, on the event loop

    /// Keeps a request's ticket for the case that the client leaves.
    func keep(_ ticket: CallTicket) {
        guard !state.isEnded else { return }
        if self.ticket == nil {
            self.ticket = ticket
        } else {
            tickets.append(ticket)
        }
    }

    /// The client has left: nothing more is written, and what is in flight is given up.
    func abandon() {
        handler = nil
        stream = nil
        guard state.left() else { return }
        let (first, others) = (ticket, tickets)
        dropTickets()
        first?.abandon()
        for ticket in others { ticket.abandon() }
    }

    /// The exchange came to nothing: the message it was made for was refused.
    func drop() {
        _ = state.left()
        handler = nil
    }

    func tick(now: NIODeadline) { perform(state.tick(now: now)) }

    var due: NIODeadline? { state.due }

    private func perform(_ action: ExchangeState.Action) {
        if case .nothing = action { return }
        let handler = handler
        self.handler = nil
        if state.isEnded { dropTickets() }
        switch action {
        case .nothing: break
        case .respond(let answer): handler?.respond(with: answer, of: self)
        case .respondWithBatch(let answers): handler?.respond(withBatch: answers, of: self)
        case .startStream(let messages): stream = handler?.startStream(messages, of: self)
        case .writeEvent(let message, let ends):
            _ = stream?.add(message, ends: ends)
            if ends { stream = nil }
        }
    }

    // MARK: EventStreamOwner

    var endsAtShutdown: Bool { farewell != nil }
    /// The answer of Lodge itself to a request that has none while Lodge lives.
    var farewell: MessageBytes?

    func streamIsRead(_ isRead: Bool) { isLeft.store(!isRead, ordering: .relaxed) }

    func streamWasTaken() {}

    func streamWasGivenUp(unseen: [MessageBytes], since time: ContinuousClock.Instant) {
        if eventLoop.inEventLoop { return abandon() }
        eventLoop.execute { self.abandon() }
    }

    private func dropTickets() {
        ticket = nil
        tickets = []
    }
}

/// Stands in where a message has no answer; what comes for it is a mistake of the server and is dropped.
final class NoAnswer: CallSink {
    static let sink = NoAnswer()
    var acceptsStream: Bool { false }
    func deliver(_ message: MessageBytes) {}
    func finish(_ answer: Answer) {}
}
