// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Many small and ill-behaved MCP servers in one program; the first argument says which.
@main
struct FixtureServer {
    @MainActor
    static func main() async {
        var options = CommandLineOptions(CommandLine.arguments.dropFirst())
        guard let mode = options.takeWord() else {
            CommandLineOptions.refuse("name a mode: \(names)")
        }
        ProcessState.ignoreBrokenPipes()
        switch mode {
        case "echo": EchoMode.run(options)
        case "slow": await SlowMode.run(options)
        case "crashing": await CrashingMode.run(options)
        case "chatty": await ChattyMode.run(options)
        case "hostile": await HostileMode.run(options)
        case "sleeper": SleeperMode.run(options)
        case "counting": await CountingMode.run(options)
        case "failing-initialize": await FailingInitializeMode.run(options)
        case "vault": await VaultMode.run(options)
        default: CommandLineOptions.refuse("unknown mode '\(mode)'; the modes are \(names)")
        }
    }

    private static let names = "echo, slow, crashing, chatty, hostile, sleeper, counting, failing-initialize, vault"
}

extension Tool {
    /// The tool that answers with the message it is given.
    static let echo = Tool(
        "echo", "Answers with the message it is given", properties: ["message": ["type": "string"]]
    ) { arguments, _ in .content(.text(try arguments.string("message"))) }
}
