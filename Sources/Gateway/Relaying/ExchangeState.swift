// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
package import NIOCore

/// Decides what is written for one POST: a JSON answer, or an event stream.
///
/// 1. The first thing that comes decides: the answer makes it JSON, anything else (or waiting too long) a stream.
/// 2. What was decided never changes. After the last answer nothing is written.
/// 3. A batch has several answers. As JSON they are held until all are there; a stream gets each as it comes.
///
/// It writes nothing and reads no clock: its owner does what an action says.
package struct ExchangeState: Sendable {
    private enum Phase: Sendable {
        /// Nothing was written. Can transition to `streaming` and `ended`.
        case undecided
        /// The response is an event stream. Can transition to `ended`.
        case streaming
        /// All answers were handed on, or the client has left. Final.
        case ended
    }

    package enum Action: Sendable, Equatable {
        case nothing
        /// Write the answer to a single request as a whole response.
        case respond(Answer)
        /// Write the answers to a batch as a whole response, an array.
        case respondWithBatch([MessageBytes])
        /// Begin an event stream with these messages.
        case startStream([MessageBytes])
        case writeEvent(MessageBytes, ends: Bool)
    }

    private var phase = Phase.undecided
    /// How many answers are still to come.
    private var outstanding: Int
    private let isBatch: Bool
    private let mayStream: Bool
    /// Answers of a batch that wait for the others; empty unless `undecided`.
    private var waiting: [MessageBytes] = []
    private let start: NIODeadline
    private let becomesStreamAfter: TimeAmount

    /// - Parameter mayStream: false for `initialize`, whose session id has to stand in a head that is still to come.
    package init(requests: Int, isBatch: Bool, mayStream: Bool, start: NIODeadline, limits: GatewayLimits) {
        outstanding = requests
        self.isBatch = isBatch
        self.mayStream = mayStream
        self.start = start
        becomesStreamAfter = limits.becomesStreamAfter
    }

    package var isEnded: Bool { phase == .ended }
    package var acceptsStream: Bool { mayStream }

    /// A message came that is not an answer.
    package mutating func message(_ message: MessageBytes) -> Action {
        switch phase {
        case .undecided where mayStream: return start(with: message)
        case .streaming: return .writeEvent(message, ends: false)
        case .undecided, .ended: return .nothing
        }
    }

    /// The answer to one of the requests came.
    package mutating func answer(_ answer: Answer) -> Action {
        guard phase != .ended, outstanding > 0 else { return .nothing }
        outstanding -= 1
        let isLast = outstanding == 0
        switch phase {
        case .streaming:
            if isLast { phase = .ended }
            return .writeEvent(answer.bytes, ends: isLast)
        case .undecided where !isBatch:
            phase = .ended
            return .respond(answer)
        default:
            waiting.append(answer.bytes)
            guard isLast else { return .nothing }
            phase = .ended
            return .respondWithBatch(waiting)
        }
    }

    /// Time has passed.
    package mutating func tick(now: NIODeadline) -> Action {
        guard let due, now >= due else { return .nothing }
        return start(with: nil)
    }

    /// When ``tick(now:)`` has something to do if nothing else happens.
    package var due: NIODeadline? {
        phase == .undecided && mayStream ? start + becomesStreamAfter : nil
    }

    /// The client has left; true if answers were still to come.
    package mutating func left() -> Bool {
        defer { phase = .ended }
        return phase != .ended
    }

    private mutating func start(with message: MessageBytes?) -> Action {
        phase = .streaming
        defer { waiting = [] }
        return .startStream(waiting + (message.map { [$0] } ?? []))
    }
}
