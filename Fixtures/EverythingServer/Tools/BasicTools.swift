// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Small tools that need nothing but their arguments.
enum BasicTools {
    static let all: [Tool] = [echo, add, slow, big]

    private static let echo = Tool(
        "echo", "Answers with the message it is given",
        properties: ["message": ["type": "string", "description": "What to answer"]],
        extra: [
            "title": "Echo", "icons": [Media.icon], "_meta": ["everything/fixture": "echo"],
            "annotations": ["title": "Echo", "readOnlyHint": true, "idempotentHint": true, "openWorldHint": false],
        ]
    ) { arguments, _ in .content(.text(try arguments.string("message"))) }

    private static let add = Tool(
        "add", "Adds two numbers", properties: ["a": ["type": "number"], "b": ["type": "number"]],
        extra: [
            "title": "Add",
            "outputSchema": ["type": "object", "properties": ["sum": ["type": "number"]], "required": ["sum"]],
        ]
    ) { arguments, _ in
        let sum = try arguments.double("a") + arguments.double("b")
        guard sum.isFinite else { throw ToolFailure("the sum is too large") }
        return .structured(["sum": Int(exactly: sum).map { .integer($0) } ?? .number("\(sum)")])
    }

    private static let slow = Tool(
        "slow", "Waits, reports progress if asked to, and can be cancelled",
        properties: ["seconds": ["type": "number", "minimum": 0]]
    ) { arguments, context in
        try await wait(try arguments.duration("seconds"), context)
        return .content(.text("waited"))
    }

    /// Waits in ten steps and reports each.
    static func wait(_ duration: Duration, _ context: RequestContext) async throws {
        for step in 1...10 {
            try await Task.sleep(for: duration / 10)
            context.progress(Double(step), of: 10, message: "step \(step) of 10")
        }
    }

    private static let big = Tool(
        "big", "Answers with a text of that many bytes",
        properties: ["bytes": ["type": "integer", "minimum": 0, "maximum": 268_435_456]]
    ) { arguments, _ in
        let bytes = try arguments.count("bytes")
        guard bytes <= 268_435_456 else { throw ToolFailure("argument 'bytes' must be at most 268435456") }
        return .content(.text(String(repeating: "x", count: bytes)))
    }
}
