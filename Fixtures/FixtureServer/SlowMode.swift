// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// `slow [--delay-ms N] [--start-delay-ms N] [--ignore-cancel]`: tool `wait` {ms} answers after that time; `hold`
/// {name} once `release` {name} was called, and `last_words` when the input ends.
///
/// `--delay-ms` is the time when `ms` is left out; `--start-delay-ms` passes before the first message is read; with
/// `--ignore-cancel` a cancelled call is answered all the same.
@MainActor
enum SlowMode {
    static func run(_ options: CommandLineOptions) async {
        var options = options
        let delay = options.takeNumber("delay-ms") ?? 0
        let startDelay = options.takeNumber("start-delay-ms") ?? 0
        let ignoresCancellation = options.takeFlag("ignore-cancel")
        options.finish()
        ProcessState.sleep(milliseconds: startDelay)
        let wait = Tool(
            "wait", "Answers after that many milliseconds",
            properties: ["ms": ["type": "integer", "minimum": 0]], optional: ["ms"]
        ) { arguments, _ in
            let milliseconds = arguments["ms"] == nil ? delay : try arguments.count("ms")
            try await Task.sleep(for: .milliseconds(milliseconds))
            return .content(.text("waited \(milliseconds) ms"))
        }
        await StdioServer(
            ToolServer("slow", honoursCancellation: !ignoresCancellation, tools: [wait, .echo] + Holds().tools)
        ).run()
    }
}
