// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// `counting`: remembers every call, so that a test sees whether one arrived twice or never.
///
/// Tool `hit` {label} is only counted; tool `progress` {steps, label} sends `steps` notifications with the label as
/// message and then answers with it; tool `count` tells the calls of the other two.
@MainActor
enum CountingMode {
    static func run(_ options: CommandLineOptions) async {
        options.finish()
        let ledger = Ledger()
        await StdioServer(ToolServer("counting", tools: tools(ledger))).run()
    }

    private nonisolated static func tools(_ ledger: Ledger) -> [Tool] {
        let label: JSONValue = ["type": "string"]
        return [
            Tool("hit", "Is counted", properties: ["label": label]) { arguments, context in
                let label = try arguments.string("label")
                return .content(.text("hit \(ledger.record("hit", label, context)): \(label)"))
            },
            Tool(
                "progress", "Sends that many progress notifications with the label, and answers with it",
                properties: ["steps": ["type": "integer", "minimum": 0], "label": label]
            ) { arguments, context in
                let label = try arguments.string("label")
                let steps = try arguments.count("steps")
                _ = ledger.record("progress", label, context)
                for step in 0..<steps {
                    context.progress(Double(step + 1), of: Double(steps), message: label)
                    // Lets the steps of calls that run at the same time mingle.
                    await Task.yield()
                }
                return .content(.text(label))
            },
            Tool("count", "Tells how many calls came in, and each one's id, progress token and label") { _, _ in
                let calls = ledger.calls
                return .structured(["total": .integer(calls.count), "calls": .array(calls)])
            },
        ]
    }
}

/// The calls that came in, in the order they were taken up.
private final class Ledger: Sendable {
    private let entries = Mutex<[JSONValue]>([])

    var calls: [JSONValue] { entries.withLock { $0 } }

    /// Notes a call and answers how many there are now.
    func record(_ tool: String, _ label: String, _ context: RequestContext) -> Int {
        let entry: JSONValue = [
            "tool": .string(tool), "label": .string(label), "id": context.id,
            "progressToken": context.progressToken ?? .null,
        ]
        return entries.withLock { entries in
            entries.append(entry)
            return entries.count
        }
    }
}
