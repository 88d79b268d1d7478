// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol

/// What a legacy server wants to know before it goes on with a modern client's call.
///
/// The call stays with the server; its client has been answered, or will be, with a request for input, and comes back
/// with another request that goes on with it.
struct Suspension: Sendable {
    enum Phase: Sendable {
        /// More may be asked at once. Can transition to `waiting`.
        case collecting(until: ContinuousClock.Instant)
        /// The client was told. Can transition to `ended`.
        case waiting
        /// The server answered meanwhile.
        /// `lacking` is what it had asked for and the client had not declared.
        case answered(ServerMessage, lacking: ClientCapabilities)
        /// The call failed meanwhile.
        case failed(CallFailure)
    }

    /// One question of the server.
    struct Question: Sendable {
        let key: String
        /// Under which the question is known; never sent to a client.
        let ticket: Ticket
        let request: InputRequired.Request
    }

    /// How long the server gets to ask for more, so that one answer of the client serves for all of it.
    static let collectingTime = Duration.milliseconds(50)
    static let lifetime = Duration.seconds(Int64(RequestStates.lifetime))
    /// Calls of one upstream that may wait for their clients at one time.
    static let capacity = 1000

    var phase: Phase
    var questions: [Question] = []
    /// Counts how often the client was told, so that what it was told before is not good any more.
    var round: UInt32 = 0
    var expires: ContinuousClock.Instant

    /// A name for a question that no other one of the call has.
    func key(for id: RawID) -> String {
        let text = JSONString.decode(id.array.span, 0..<id.count) ?? String(decoding: id.array, as: UTF8.self)
        let taken = Set(questions.map(\.key))
        guard taken.contains(text) else { return text }
        return (2...).lazy.map { "\(text)-\($0)" }.first { !taken.contains($0) } ?? text
    }
}

/// Stands in for the exchange of a call whose client has been answered and will come back with another request.
final class NobodySink: CallSink {
    static let sink = NobodySink()
    var acceptsStream: Bool { false }
    func deliver(_ message: MessageBytes) {}
    func finish(_ answer: Answer) {}
}
