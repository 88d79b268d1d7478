// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Synchronization

/// Opens a client's sessions with all members side by side, and says what they have in common.
///
/// Each member keeps to its own limit for starting; one that is down drops out. Only where every one is down is the
/// client refused, with the first one's reason.
final class AggregateHandshake: Sendable {
    /// Why a client cannot be let in.
    struct Failure: Sendable {
        let error: MessageBytes
        let retryAfter: Int?

        /// The member's refusal under the id of a client's request.
        func answer(id: RawID) -> Answer {
            let error = LodgeMessage.answered(error, id: id)
            return retryAfter.map { .unavailable(error, retryAfter: $0) } ?? .message(error)
        }
    }

    private struct State {
        var failures: [Int: Failure] = [:]
        var waiting: Int
    }

    private let members: [AggregateMember]
    private let session: AggregateSession
    private let state: Mutex<State>

    init(members: [AggregateMember], session: AggregateSession) {
        self.members = members
        self.session = session
        state = Mutex(State(waiting: members.count))
    }

    func start(_ body: @escaping @Sendable (AggregateGreeting, Failure?) -> Void) {
        guard !members.isEmpty else { return body(AggregateGreeting(members: []), nil) }
        for (index, member) in members.enumerated() {
            session.withSession(of: member) { [self] opening in
                let isLast = state.withLock { state in
                    if case .failed(let error, let retryAfter) = opening {
                        state.failures[index] = Failure(error: error, retryAfter: retryAfter)
                    }
                    state.waiting -= 1
                    return state.waiting == 0
                }
                if isLast { body(greeting, failure) }
            }
        }
    }

    private var greeting: AggregateGreeting {
        AggregateGreeting(members: members.map { ($0.name, session.greeting(of: $0) ?? .assumed) })
    }

    private var failure: Failure? {
        state.withLock { state in
            guard state.failures.count == members.count else { return nil }
            return state.failures[0]
        }
    }
}

extension LodgeMessage {
    /// An error that was written for another id.
    static func answered(_ error: MessageBytes, id: RawID) -> MessageBytes {
        let buffer = error.joined()
        guard let envelope = try? MessageScanner.scan(buffer.readableBytesUInt8Span) else { return error }
        return answer(ServerMessage(bytes: buffer, envelope: envelope), id: id)
    }
}
