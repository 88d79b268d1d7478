// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The tool that may be called as a task.
enum SlowTask {
    static let tool = Tool(
        "slow_task", "Waits, as a task if the client wants that, and fails if told to",
        properties: ["seconds": ["type": "number", "minimum": 0], "fail": ["type": "boolean"]], optional: ["fail"],
        extra: ["execution": ["taskSupport": "optional"]]
    ) { arguments, context in
        try await BasicTools.wait(try arguments.duration("seconds"), context)
        if arguments["fail"]?.flag == true { throw ToolFailure("the task failed as it was told to") }
        return .content(.text("task done"))
    }
}
