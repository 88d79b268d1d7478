// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Tools that show or end the process the server runs in.
enum ProcessTools {
    static let all: [Tool] = [
        Tool("whoami", "Tells the process and the names, not the values, of its environment variables") { _, _ in
            .structured([
                "pid": .integer(ProcessState.identifier),
                "parentPid": .integer(ProcessState.parentIdentifier),
                "workingDirectory": .string(ProcessState.workingDirectory),
                "arguments": .strings(CommandLine.arguments.dropFirst()),
                "environment": .strings(ProcessState.environment.map(\.name).sorted()),
            ])
        },
        Tool(
            "print_env", "Answers with the value of an environment variable", properties: ["name": ["type": "string"]]
        ) { arguments, _ in
            let name = try arguments.string("name")
            guard let value = ProcessState.environmentVariable(name) else {
                throw ToolFailure("environment variable '\(name)' is not set")
            }
            return .content(.text(value))
        },
        Tool(
            "exit", "Ends the server during the call",
            properties: ["status": ["type": "integer", "minimum": 0, "maximum": 255]],
            extra: ["annotations": ["destructiveHint": true]]
        ) { arguments, _ in
            ProcessState.exit(try arguments.count("status"))
        },
    ]
}
