// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The line to the client: what goes out, what the server has asked, and what it is working on.
///
/// It reads nothing; ``StdioServer`` does. Ids of the server's own requests are the integers from 1 on, which clients
/// use too, for the two sides number their requests apart; a request that wants a name gets it as its id.
package final class Connection: Sendable {
    package let writer: LineWriter
    private let state = Mutex(State())

    private struct State {
        var lastID = 0
        var lastGroup = 0
        /// Requests to the client whose answer is awaited.
        var asked: [JSONValue: Asked] = [:]
        /// Requests of the client that are worked on; finishing the stream cancels the work.
        var running: [JSONValue: AsyncStream<Never>.Continuation] = [:]

        /// Gives each request its id: its name where it has one, with a suffix while another request bears that name.
        mutating func register(_ names: [String?], _ group: Int, _ collector: AnswerCollector) -> [JSONValue] {
            names.enumerated().map { place, name in
                let id = name.map { free($0) } ?? nextNumber()
                asked[id] = Asked(group: group, place: place, collector: collector)
                return id
            }
        }

        private mutating func nextNumber() -> JSONValue {
            lastID += 1
            return .integer(lastID)
        }

        private func free(_ name: String) -> JSONValue {
            var id = JSONValue.string(name)
            var suffix = 1
            while asked[id] != nil {
                suffix += 1
                id = .string("\(name)-\(suffix)")
            }
            return id
        }
    }

    /// One request of several that were sent together.
    private struct Asked {
        let group: Int
        let place: Int
        let collector: AnswerCollector
    }

    package init(_ writer: LineWriter) { self.writer = writer }

    package func notify(_ method: String, _ params: JSONValue? = nil) {
        writer.write(Message.notification(method, params))
    }

    /// Asks the client and waits for its answer.
    ///
    /// When the waiting task is cancelled the client is told so, and the call throws `CancellationError`.
    package func ask(_ method: String, _ params: JSONValue? = nil) async throws -> JSONValue {
        let answers = try await ask([Wish(method, params)])
        guard let first = answers.first else { throw CancellationError() }
        return try first.get()
    }

    /// Asks the client several things in one piece and waits for all answers, which come back in the order of the
    /// wishes, errors of the client among them.
    package func ask(_ wishes: [Wish]) async throws -> [Result<JSONValue, RPCError>] {
        guard !wishes.isEmpty else { return [] }
        let group = state.withLock { state in
            state.lastGroup += 1
            return state.lastGroup
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let collector = AnswerCollector(wishes.count, continuation)
                let ids = state.withLock { $0.register(wishes.map(\.name), group, collector) }
                // The cancellation handler may have run before there was anything for it to find.
                guard !Task.isCancelled else { return withdraw(group) }
                writer.write(zip(ids, wishes).map { Message.request($0, $1.method, $1.params) })
            }
        } onCancel: {
            withdraw(group)
        }
    }

    private func withdraw(_ group: Int) {
        let (collector, ids) = state.withLock { state in
            let ids = state.asked.filter { $0.value.group == group }.map(\.key)
            return (ids.compactMap { state.asked.removeValue(forKey: $0) }.first?.collector, ids)
        }
        for id in ids {
            notify("notifications/cancelled", ["requestId": id, "reason": "the call that asked was cancelled"])
        }
        collector?.cancel()
    }

    /// Gives an answer of the client to the call that awaits it; an answer that nobody awaits is dropped.
    func receive(answer outcome: Result<JSONValue, RPCError>, to id: JSONValue) {
        let id = id.integer.map { .integer($0) } ?? id
        let asked = state.withLock { $0.asked.removeValue(forKey: id) }
        asked?.collector.take(outcome, at: asked?.place ?? 0)
    }

    /// Notes a request as being worked on; the stream ends when the request is cancelled.
    func begin(_ id: JSONValue) -> AsyncStream<Never> {
        let (stream, continuation) = AsyncStream<Never>.makeStream()
        state.withLock { $0.running[id] = continuation }
        return stream
    }

    func end(_ id: JSONValue) {
        let continuation = state.withLock { $0.running.removeValue(forKey: id) }
        continuation?.finish()
    }

    /// Cancels a request that is worked on; an unknown one is ignored (MCP, cancellation).
    func cancel(_ id: JSONValue) { end(id) }
}
