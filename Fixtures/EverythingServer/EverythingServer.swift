// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// An MCP server with every feature of every revision, over standard input and output.
///
/// Its tools, resources and prompts named `test_…` and `test://…` are those that the official conformance suite asks a
/// server for; the others let a test look inside the process. `EVERYTHING_PAGE_SIZE` sets how many items a page of a
/// list holds; without it every list is one page.
///
/// - `--era legacy|modern` locks the era, which the first request decides otherwise;
/// - `--ttl MS` (0) and `--cache-scope public|private` (private) are what modern results say of how to cache them.
@main
struct EverythingServer {
    @MainActor
    static func main() async {
        var options = CommandLineOptions(CommandLine.arguments.dropFirst())
        let era = options.takeValue("era").map { name in
            Era(rawValue: name) ?? refuse("era", name, "legacy or modern")
        }
        let milliseconds = options.takeNumber("ttl") ?? 0
        let scope = options.takeValue("cache-scope").map { name in
            CacheHint.Scope(rawValue: name) ?? refuse("cache-scope", name, "public or private")
        }
        // Whatever else there is says nothing; `whoami` shows it.
        let pageSize = ProcessState.environmentVariable("EVERYTHING_PAGE_SIZE").flatMap(Int.init)
        let hint = CacheHint(milliseconds: milliseconds, scope: scope ?? .private)
        await StdioServer(EraHandler(locked: era, pageSize: pageSize, hint: hint)).run()
    }

    private static func refuse<Value>(_ option: String, _ value: String, _ known: String) -> Value {
        CommandLineOptions.refuse("option '--\(option)' must be \(known) and got '\(value)'")
    }
}
