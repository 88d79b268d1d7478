// SPDX-License-Identifier: Apache-2.0

/// Serves one client over standard input and output until the input ends.
///
/// Messages are read and sorted on the main thread, which does nothing else and so may block; work that takes time runs
/// in one task group beside it. When the input ends all work is cancelled and awaited.
@MainActor
package struct StdioServer<Handler: RequestHandler> {
    private let handler: Handler
    private let connection: Connection

    package init(
        _ handler: Handler,
        connection: Connection = Connection(LineWriter(.standardOutput))
    ) {
        self.handler = handler
        self.connection = connection
    }

    package func run() async {
        ProcessState.ignoreBrokenPipes()
        await withDiscardingTaskGroup { group in
            var reader = LineReader(.standardInput)
            // Standard input that cannot be read is at its end for a server: there is nobody left to tell.
            while let line = try? reader.next() { take(line, in: &group) }
            group.cancelAll()
        }
    }

    private func take(_ line: [UInt8], in group: inout DiscardingTaskGroup) {
        let value: JSONValue
        do throws(JSONParsingError) {
            value = try JSONValue(parsing: line)
        } catch {
            connection.writer.write(Message.answer(to: .null, .failure(.parseError(error.description))))
            return
        }
        take(value, in: &group) { connection.writer.write($0) }
    }

    /// Sorts one message; `answer` is called at most once, now or later, with the message to send back.
    private func take(
        _ value: JSONValue, in group: inout DiscardingTaskGroup, answer: @escaping @Sendable (JSONValue) -> Void
    ) {
        switch Message(value) {
        case .answer(let id, let outcome): connection.receive(answer: outcome, to: id)
        case .invalid(let id, let error): answer(Message.answer(to: id, .failure(error)))
        case .notification(let method, let params): receive(method, params)
        case .batch(let elements): take(batch: elements, in: &group)
        case .request(let request):
            switch handler.reply(to: request, over: connection) {
            case .now(let outcome): answer(Message.answer(to: request.id, outcome))
            case .nowAndThen(let outcome, let work):
                answer(Message.answer(to: request.id, outcome))
                group.addTask { await work() }
            case .later(let work):
                // Begun before the next message is read, for that may be its cancellation.
                let cancellation = connection.begin(request.id)
                group.addTask { [connection] in
                    let context = RequestContext(
                        id: request.id, progressToken: request.progressToken, connection: connection)
                    let outcome = await outcome(until: cancellation) { try await work(context) }
                    connection.end(request.id)
                    if let outcome { answer(Message.answer(to: request.id, outcome)) }
                }
            }
        }
    }

    private func receive(_ method: String, _ params: JSONValue) {
        handler.receive(notification: method, params: params, over: connection)
        if method == "notifications/cancelled", handler.honoursCancellation, let id = params["requestId"] {
            connection.cancel(id)
        }
    }

    /// Takes the messages of a batch; all answers go out together as one array (JSON-RPC 2.0, section 6).
    private func take(batch elements: [JSONValue], in group: inout DiscardingTaskGroup) {
        guard handler.acceptsBatches, !elements.isEmpty else {
            let refusal = RPCError.invalidRequest("a batch is not accepted in this revision")
            connection.writer.write(Message.answer(to: .null, .failure(refusal)))
            return
        }
        let (answers, continuation) = AsyncStream<JSONValue>.makeStream()
        // The stream ends when the last closure that holds the ender is gone, answered or cancelled.
        let ender = StreamEnder(continuation)
        for element in elements where element.elements == nil {
            take(element, in: &group) { ender.continuation.yield($0) }
        }
        group.addTask { [connection] in
            // Holds no ender itself: it waits for the others to let go.
            let collected = await answers.reduce(into: []) { $0.append($1) }
            if !collected.isEmpty { connection.writer.write(.array(collected)) }
        }
    }
}
