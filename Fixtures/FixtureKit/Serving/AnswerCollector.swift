// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Gathers the answers to requests that were sent together, in their order, and then wakes whoever waits for them.
///
/// A cancelled wait ends at once; what comes later is dropped.
final class AnswerCollector: Sendable {
    typealias Answers = [Result<JSONValue, RPCError>]

    private struct State {
        var answers: [Result<JSONValue, RPCError>?]
        var waiting: CheckedContinuation<Answers, any Error>?
    }

    private let state: Mutex<State>

    init(_ count: Int, _ continuation: CheckedContinuation<Answers, any Error>) {
        state = Mutex(State(answers: Array(repeating: nil, count: count), waiting: continuation))
    }

    func take(_ answer: Result<JSONValue, RPCError>, at place: Int) {
        let done = state.withLock { state -> (CheckedContinuation<Answers, any Error>, Answers)? in
            state.answers[place] = answer
            let all = state.answers.compactMap { $0 }
            guard all.count == state.answers.count, let waiting = state.waiting else { return nil }
            state.waiting = nil
            return (waiting, all)
        }
        done?.0.resume(returning: done?.1 ?? [])
    }

    func cancel() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume(throwing: CancellationError())
    }
}
