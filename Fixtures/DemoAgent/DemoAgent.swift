// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// An agent that uses its tools and then goes looking for the key its tools work with.
///
/// `DemoAgent --mcp-config FILE [--city NAME] [--try-leak] [--hunt-for-prefix PREFIX] [--canary-sha256 HEX
/// --canary-length N] [--processes all|none|PID,…] [--no-hunt]`. Exit status: 0 when the tools worked and no key was found, 3 when one was found,
/// 1 when the tools did not work.
@main
struct DemoAgent {
    static func main() {
        ProcessState.ignoreBrokenPipes()
        let options = AgentOptions(CommandLine.arguments.dropFirst())
        var answers: [ToolAnswer] = []
        var isWorking = true
        do {
            let configuration = try ClientConfiguration(file: options.configurationFile)
            for server in configuration.servers { answers += try ToolRound(server, options).answers() }
            if !answers.contains(where: { $0.tool == "lookup" }) {
                say("error: no server offers a tool 'lookup'")
                isWorking = false
            }
        } catch {
            say("error: \(error)")
            isWorking = false
        }
        guard let marker = options.marker else { ProcessState.exit(isWorking ? 0 : 1) }
        var hunt = Hunt(marker, scope: options.scope)
        hunt.searchEverything(configurationFile: options.configurationFile, answers: answers)
        for line in hunt.report { say(line) }
        ProcessState.exit(!hunt.finds.isEmpty ? 3 : isWorking ? 0 : 1)
    }

    static func say(_ line: String) { Descriptor.standardOutput.print(line) }
}

/// What the agent was told on its command line.
struct AgentOptions {
    let configurationFile: String
    let city: String
    let triesLeak: Bool
    let scope: ProcessScope
    /// What to look for; nil when the hunt is off.
    let marker: KeyMarker?

    init(_ words: some Sequence<String>) {
        var options = CommandLineOptions(words)
        guard let file = options.takeValue("mcp-config") else {
            CommandLineOptions.refuse("option '--mcp-config' with a file is needed")
        }
        configurationFile = file
        city = options.takeValue("city") ?? "Berlin"
        triesLeak = options.takeFlag("try-leak")
        let given = options.takeValue("hunt-for-prefix")
        // In two parts, so that the program file does not hold the beginning of a key.
        let prefix = given ?? ["LODGE-DEMO", "KEY-"].joined(separator: "-")
        let digest = options.takeValue("canary-sha256")
        let length = options.takeNumber("canary-length")
        let processes = options.takeValue("processes") ?? "all"
        let isHunting = !options.takeFlag("no-hunt")
        options.finish()
        guard (digest == nil) == (length == nil) else {
            CommandLineOptions.refuse("options '--canary-sha256' and '--canary-length' belong together")
        }
        // A digest alone says nothing of where a key could begin, and a hunt for another key would find nothing.
        guard digest == nil || given != nil else {
            CommandLineOptions.refuse("option '--canary-sha256' only narrows '--hunt-for-prefix'; give both")
        }
        guard let scope = ProcessScope(processes) else {
            CommandLineOptions.refuse("option '--processes' must be all, none or process ids with commas between them")
        }
        self.scope = scope
        let fingerprint = digest.flatMap { digest in length.map { (digest: digest.lowercased(), length: $0) } }
        guard let marker = KeyMarker(prefix: prefix, fingerprint: fingerprint) else {
            CommandLineOptions.refuse("option '--hunt-for-prefix' needs at least four characters")
        }
        self.marker = isHunting ? marker : nil
    }
}
