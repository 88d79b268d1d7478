// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// The calls that run as tasks (MCP 2025-11-25, tasks; experimental there).
///
/// A task that is over is kept until its time to live has passed since its creation; it is dropped at the next look.
final class TaskStore: Sendable {
    private let records = Mutex<[TaskRecord]>([])

    /// The key of `_meta` that says which task a message belongs to.
    static let relatedTask = "io.modelcontextprotocol/related-task"

    /// Creates a task and answers with it; the work goes on after the answer.
    func start(
        _ wish: JSONValue, _ request: Request, over connection: Connection, _ work: @escaping Reply.Work
    ) -> Reply {
        let (cancellation, canceller) = AsyncStream<Never>.makeStream()
        let id = "task-\(String(UInt64.random(in: .min ... .max), radix: 36))"
        let timeToLive = wish["ttl"]?.integer ?? 60_000
        let record = TaskRecord(id: id, timeToLive: timeToLive, created: .now, canceller: canceller)
        records.withLock { $0.append(record) }
        var context = RequestContext(id: request.id, progressToken: request.progressToken, connection: connection)
        context.meta = Self.meta(id)
        return .nowAndThen(.success(["task": record.value])) { [context] in
            let outcome = await outcome(until: cancellation) { try await work(context) }
            self.finish(id, outcome, over: connection)
        }
    }

    private static func meta(_ id: String) -> JSONValue {
        .object([.init(relatedTask, ["taskId": .string(id)])])
    }

    func list() -> [JSONValue] { current { $0.map(\.value) } }

    func status(of id: String) -> Result<JSONValue, RPCError> {
        current { records in
            records.first { $0.id == id }.map { .success($0.value) } ?? .failure(Self.unknown(id))
        }
    }

    func cancel(_ id: String, over connection: Connection) -> Result<JSONValue, RPCError> {
        let outcome: Result<TaskRecord, RPCError> = current { records in
            guard let place = records.firstIndex(where: { $0.id == id }) else { return .failure(Self.unknown(id)) }
            guard records[place].status == .working else {
                let status = records[place].status.rawValue
                return .failure(.invalidParams("task '\(id)' is already \(status)"))
            }
            records[place].end(.cancelled, nil)
            return .success(records[place])
        }
        return outcome.map { record in
            record.canceller.finish()
            wakeWaiters(of: record)
            connection.notify("notifications/tasks/status", record.value)
            return record.value
        }
    }

    /// Waits for the end of a task and answers what the call would have answered.
    func result(of id: String) async throws -> JSONValue {
        let (ending, waiter) = AsyncStream<Never>.makeStream()
        try current { records in
            guard let place = records.firstIndex(where: { $0.id == id }) else { throw Self.unknown(id) }
            if records[place].status == .working { records[place].waiters.append(waiter) } else { waiter.finish() }
        }
        for await _ in ending {}
        try Task.checkCancellation()
        guard let record = current({ $0.first { $0.id == id } }) else { throw Self.unknown(id) }
        guard let outcome = record.outcome else { throw RPCError(-32_603, "task '\(id)' was cancelled") }
        var result = try outcome.get()
        result["_meta"] = Self.meta(id)
        return result
    }

    private func finish(_ id: String, _ outcome: Result<JSONValue, RPCError>?, over connection: Connection) {
        let ended: TaskRecord? = current { records in
            // A task that was cancelled stays so, whatever its work has come to.
            guard let place = records.firstIndex(where: { $0.id == id && $0.status == .working }) else { return nil }
            switch outcome {
            case .success(let result):
                records[place].end(result["isError"]?.flag == true ? .failed : .completed, outcome)
            case .failure: records[place].end(.failed, outcome)
            case nil: records[place].end(.cancelled, nil)
            }
            return records[place]
        }
        guard let ended else { return }
        connection.notify("notifications/tasks/status", ended.value)
        wakeWaiters(of: ended)
    }

    private func wakeWaiters(of record: TaskRecord) {
        for waiter in record.waiters { waiter.finish() }
    }

    /// Works on the tasks whose time has not passed.
    private func current<Value: Sendable>(_ body: (inout [TaskRecord]) throws -> Value) rethrows -> Value {
        try records.withLock { records in
            let now = ContinuousClock.now
            records.removeAll { $0.status != .working && $0.created + .milliseconds($0.timeToLive) < now }
            return try body(&records)
        }
    }

    private static func unknown(_ id: String) -> RPCError { .invalidParams("unknown task '\(id)'") }
}

/// One call that runs as a task.
struct TaskRecord: Sendable {
    enum Status: String {
        case working, completed, failed, cancelled
    }

    let id: String
    /// Milliseconds.
    let timeToLive: Int
    let created: ContinuousClock.Instant
    let canceller: AsyncStream<Never>.Continuation
    private let createdAt = ProcessState.timestamp()
    private var updatedAt = ProcessState.timestamp()
    private(set) var status = Status.working
    private(set) var outcome: Result<JSONValue, RPCError>?
    /// Finished when the task ends.
    var waiters: [AsyncStream<Never>.Continuation] = []

    init(
        id: String, timeToLive: Int, created: ContinuousClock.Instant, canceller: AsyncStream<Never>.Continuation
    ) {
        self.id = id
        self.timeToLive = timeToLive
        self.created = created
        self.canceller = canceller
    }

    mutating func end(_ status: Status, _ outcome: Result<JSONValue, RPCError>?) {
        self.status = status
        self.outcome = outcome
        updatedAt = ProcessState.timestamp()
    }

    /// The task object of the protocol.
    var value: JSONValue {
        [
            "taskId": .string(id), "status": .string(status.rawValue), "createdAt": .string(createdAt),
            "lastUpdatedAt": .string(updatedAt), "ttl": .integer(timeToLive), "pollInterval": 100,
        ]
    }
}
