// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The line to the client: what goes out, what the server has asked, and what it is working on.
///
/// It reads nothing; ``StdioServer`` does. Ids of the server's own requests are the integers from 1 on, which clients
/// use too: the two sides number their requests apart.
package final class Connection: Sendable {
    package let writer: LineWriter
    private let state = Mutex(State())

    private struct State {
        var lastID = 0
        /// Requests to the client whose answer is awaited.
        var asked: [Int: CheckedContinuation<JSONValue, any Error>] = [:]
        /// Requests of the client that are worked on; finishing the stream cancels the work.
        var running: [JSONValue: AsyncStream<Never>.Continuation] = [:]
    }

    package init(_ writer: LineWriter) { self.writer = writer }

    package func notify(_ method: String, _ params: JSONValue? = nil) {
        writer.write(Message.notification(method, params))
    }

    /// Asks the client and waits for its answer.
    ///
    /// When the waiting task is cancelled the client is told so, and the call throws `CancellationError`.
    package func ask(_ method: String, _ params: JSONValue? = nil) async throws -> JSONValue {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                state.withLock { $0.asked[id] = continuation }
                // The cancellation handler may have run before there was anything for it to find.
                guard !Task.isCancelled else { return withdraw(id) }
                writer.write(Message.request(.integer(id), method, params))
            }
        } onCancel: {
            withdraw(id)
        }
    }

    private func withdraw(_ id: Int) {
        guard let continuation = state.withLock({ $0.asked.removeValue(forKey: id) }) else { return }
        notify("notifications/cancelled", ["requestId": .integer(id), "reason": "the call that asked was cancelled"])
        continuation.resume(throwing: CancellationError())
    }

    /// Gives an answer of the client to the call that awaits it; an answer that nobody awaits is dropped.
    func receive(answer outcome: Result<JSONValue, RPCError>, to id: JSONValue) {
        guard let number = id.integer else { return }
        let continuation = state.withLock { $0.asked.removeValue(forKey: number) }
        continuation?.resume(with: outcome.mapError { $0 as any Error })
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
