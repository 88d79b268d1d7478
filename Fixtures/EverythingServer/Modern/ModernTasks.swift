// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// Calls that go on after their answer, for clients with the extension `io.modelcontextprotocol/tasks` (SEP-2663).
///
/// Not the tasks of 2025-11-25, and without notices: a client polls. Tasks are kept until the process ends.
final class ModernTasks: Sendable {
    static let extensionName = "io.modelcontextprotocol/tasks"

    private struct Record {
        let createdAt = ProcessState.timestamp()
        var updatedAt = ProcessState.timestamp()
        var status = "working"
        /// What `status` brings along: `result`, `error` or `inputRequests`.
        var extra: JSONValue = [:]
        var answers: JSONValue = [:]
        let canceller: AsyncStream<Never>.Continuation
        /// Finished when answers have come.
        var waiter: AsyncStream<Never>.Continuation?

        var isOver: Bool { status != "working" && status != "input_required" }

        mutating func become(_ status: String, _ extra: JSONValue = [:]) {
            self.status = status
            self.extra = extra
            updatedAt = ProcessState.timestamp()
        }
    }

    private let records = Mutex<[String: Record]>([:])

    static func isDeclared(in capabilities: JSONValue) -> Bool {
        capabilities["extensions"]?[extensionName] != nil
    }

    /// Creates a task and answers with it; a call that asks waits for `tasks/update` and then runs again from its start.
    func start(
        _ request: Request, _ exchange: Exchange, over connection: Connection, _ body: @escaping Reply.Work
    ) -> Reply {
        let (cancellation, canceller) = AsyncStream<Never>.makeStream()
        let id = "task-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        records.withLock { $0[id] = Record(canceller: canceller) }
        let context = RequestContext(id: request.id, progressToken: nil, connection: connection)
        var created = state(of: id) ?? [:]
        created["resultType"] = "task"
        return .nowAndThen(.success(ModernHandler.completed(created))) {
            let outcome = await outcome(until: cancellation) {
                while true {
                    let round = Exchange(exchange.envelope, request, given: self.answers(of: id))
                    do {
                        return try await Exchange.$current.withValue(round) { try await body(context) }
                    } catch let required as InputRequired {
                        for await _ in self.waitForAnswers(id, required) {}
                        try Task.checkCancellation()
                    }
                }
            }
            self.finish(id, outcome)
        }
    }

    /// Answers `tasks/get`, `tasks/update` and `tasks/cancel`; nil for another method.
    func reply(to request: Request, _ envelope: Envelope) throws(RPCError) -> JSONValue? {
        guard ["tasks/get", "tasks/update", "tasks/cancel"].contains(request.method) else { return nil }
        guard Self.isDeclared(in: envelope.capabilities) else {
            let required: JSONValue = ["extensions": .object([.init(Self.extensionName, [:])])]
            throw RPCError(
                -32_021, "'\(request.method)' needs the extension '\(Self.extensionName)'",
                data: ["requiredCapabilities": required])
        }
        let id = request.params["taskId"]?.text ?? ""
        guard let state = state(of: id) else { throw .invalidParams("unknown task '\(id)'") }
        switch request.method {
        case "tasks/get": return state
        case "tasks/update": try update(id, request.params["inputResponses"])
        default: cancel(id)
        }
        return [:]
    }

    private func state(of id: String) -> JSONValue? {
        guard let record = records.withLock({ $0[id] }) else { return nil }
        var state: JSONValue = [
            "taskId": .string(id), "status": .string(record.status), "createdAt": .string(record.createdAt),
            "lastUpdatedAt": .string(record.updatedAt), "ttlMs": 3_600_000, "pollIntervalMs": 50,
        ]
        for member in record.extra.members ?? [] { state[member.name] = member.value }
        return state
    }

    private func answers(of id: String) -> JSONValue { records.withLock { $0[id]?.answers } ?? [:] }

    private func waitForAnswers(_ id: String, _ required: InputRequired) -> AsyncStream<Never> {
        let (stream, waiter) = AsyncStream<Never>.makeStream()
        records.withLock { records in
            guard records[id]?.isOver == false else { return waiter.finish() }
            records[id]?.become("input_required", ["inputRequests": required.result["inputRequests"] ?? [:]])
            records[id]?.waiter = waiter
        }
        return stream
    }

    /// Takes the answers that are waited for and ignores others; answers that are none are asked for again.
    private func update(_ id: String, _ responses: JSONValue?) throws(RPCError) {
        guard let members = responses?.members else { throw .invalidParams("'inputResponses' must be an object") }
        let waiter = records.withLock { records -> AsyncStream<Never>.Continuation? in
            guard let outstanding = records[id]?.extra["inputRequests"] else { return nil }
            let wanted = members.filter { outstanding[$0.name] != nil }
            guard !wanted.isEmpty else { return nil }
            for member in wanted { records[id]?.answers[member.name] = member.value }
            records[id]?.become("working")
            return records[id]?.waiter
        }
        waiter?.finish()
    }

    private func cancel(_ id: String) {
        let canceller = records.withLock { records -> AsyncStream<Never>.Continuation? in
            guard records[id]?.isOver == false else { return nil }
            records[id]?.become("cancelled")
            return records[id]?.canceller
        }
        canceller?.finish()
    }

    private func finish(_ id: String, _ outcome: Result<JSONValue, RPCError>?) {
        records.withLock { records in
            // A task that was cancelled stays so, whatever its work has come to.
            guard records[id]?.isOver == false else { return }
            switch outcome {
            case .success(let result): records[id]?.become("completed", ["result": result])
            case .failure(let error):
                records[id]?.become("failed", ["error": error.value, "statusMessage": .string(error.message)])
            case nil: records[id]?.become("cancelled")
            }
        }
    }
}
