// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Which principal each task of an upstream that many share belongs to (2026-07-28, extension for tasks).
///
/// Task ids are the server's and could be guessed; to any other principal a task does not exist. Bounded: the oldest task
/// is forgotten first and is then nobody's. Belongs to one generation of the server.
struct TaskOwners: Sendable {
    private static let capacity = 10_000

    private var owners: [String: Principal] = [:]
    private var order: [String] = []

    mutating func note(_ task: String, of principal: Principal) {
        guard owners[task] == nil else { return }
        owners[task] = principal
        order.append(task)
        guard order.count > Self.capacity else { return }
        for old in order.prefix(Self.capacity / 2) { owners[old] = nil }
        order.removeFirst(Self.capacity / 2)
    }

    func isOwner(_ principal: Principal, of task: String) -> Bool { owners[task] == principal }

    /// The id of the task that an answer of a modern server says it has begun; nil for any other answer.
    static func begun(in message: ServerMessage) -> String? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let type = message.envelope.resultType, JSONString.decode(bytes, type) == "task",
            let range = message.envelope.result, let result = try? JSONValue.parse(bytes.extracting(range))
        else { return nil }
        // The extension has the task's members beside the type; an earlier text of it had them in an object of their own.
        return result["taskId"]?.string ?? result["task"]?["taskId"]?.string
    }
}
