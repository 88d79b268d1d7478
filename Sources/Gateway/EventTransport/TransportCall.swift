// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Synchronization

/// One request of a client of the 2024-11-05 transport, until its answer: the sink of what belongs to it.
///
/// Everything goes to the stream of its ``TransportSession``; it only knows how to give the request up.
final class TransportCall: CallSink {
    private enum State {
        /// The core has not said yet how to give the request up.
        case entering
        case underway(CallTicket)
        /// Answered, or given up. Final.
        case ended(isAbandoned: Bool)
    }

    let acceptsStream: Bool
    private let transport: TransportSession
    private let meters: GatewayMeters
    private let state = Mutex(State.entering)

    /// - Parameter acceptsStream: false for `initialize`, before whose answer nothing may come.
    init(_ transport: TransportSession, acceptsStream: Bool, meters: GatewayMeters) {
        self.transport = transport
        self.acceptsStream = acceptsStream
        self.meters = meters
        meters.exchanges.add(1, ordering: .relaxed)
    }

    deinit { meters.exchanges.subtract(1, ordering: .relaxed) }

    func deliver(_ message: MessageBytes) {
        if acceptsStream { transport.send(message) }
    }

    func finish(_ answer: Answer) {
        let isFirst = state.withLock { state in
            if case .ended = state { return false }
            state = .ended(isAbandoned: false)
            return true
        }
        if isFirst { return transport.finish(self, answer) }
        // Given up meanwhile: a session that opened all the same belongs to nobody.
        if case .opened = answer { transport.finish(self, answer) }
    }

    func keep(_ ticket: CallTicket) {
        let isAbandoned = state.withLock { state in
            if case .ended(let isAbandoned) = state { return isAbandoned }
            state = .underway(ticket)
            return false
        }
        if isAbandoned { ticket.abandon() }
    }

    /// The client has left: its request is given up.
    func abandon() {
        let ticket = state.withLock { state -> CallTicket? in
            defer { state = .ended(isAbandoned: true) }
            if case .underway(let ticket) = state { return ticket }
            return nil
        }
        ticket?.abandon()
    }
}
