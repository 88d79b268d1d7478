// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// One modern request while it is worked on: who sent it, and the answers that came with it.
final class Exchange: Sendable {
    /// The exchange that the running task works on.
    @TaskLocal static var current: Exchange?

    let envelope: Envelope
    private let request: Request
    /// What the client answered in earlier rounds and in this one.
    private let given: JSONValue
    /// The answers that were asked for, which a further round must still have.
    private let used: Mutex<JSONValue>

    /// Throws -32602 for a `requestState` that does not verify and for `inputResponses` that are no object.
    init(_ request: Request, _ envelope: Envelope) throws(RPCError) {
        self.envelope = envelope
        self.request = request
        let earlier = try request.params["requestState"].map { state throws(RPCError) in
            try RequestState.open(state, for: request)
        }
        var given = earlier ?? [:]
        if let responses = request.params["inputResponses"] {
            guard let members = responses.members else { throw .invalidParams("'inputResponses' must be an object") }
            for member in members { given[member.name] = member.value }
        }
        self.given = given
        used = Mutex([:])
    }

    /// A further round of a task, whose answers came by themselves.
    init(_ envelope: Envelope, _ request: Request, given: JSONValue) {
        self.envelope = envelope
        self.request = request
        self.given = given
        used = Mutex([:])
    }

    /// The answers to questions that are asked together; throws ``InputRequired`` while one is missing or is none.
    func answers(to questions: [Question], isSealed: Bool) throws -> [JSONValue] {
        let answers = questions.map(answer)
        let remembered = used.withLock { used in
            for (question, answer) in zip(questions, answers) { used[question.key] = answer ?? used[question.key] }
            return used
        }
        let open = zip(questions, answers).filter { $1 == nil }.map(\.0)
        guard open.isEmpty else {
            let isRemembering = isSealed || remembered.members?.isEmpty == false
            throw InputRequired(
                questions: open, state: isRemembering ? RequestState.seal(remembered, for: request) : nil)
        }
        return answers.compactMap { $0 }
    }

    /// What the client answered to a question, if that is an answer to it.
    private func answer(to question: Question) -> JSONValue? {
        guard let answer = given[question.key], question.accepts(answer) else { return nil }
        return answer
    }
}

/// Thrown by work that cannot go on before the client has answered.
struct InputRequired: Error {
    let questions: [Question]
    /// Nil when there is nothing to remember until the client comes back.
    let state: String?

    /// The result that says so.
    var result: JSONValue {
        let requests = questions.map { JSONValue.Member($0.key, $0.inputRequest) }
        var result: JSONValue = ["resultType": "input_required", "inputRequests": .object(requests)]
        result["requestState"] = state.map { .string($0) }
        return result
    }
}
