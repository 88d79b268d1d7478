// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Testing

@testable import LodgeCommands

@Suite("The help")
struct HelpTests {
    private static var displayed: [String: String] {
        let configurations = LodgeCommand.configuration.subcommands.map { $0.configuration }.filter(\.shouldDisplay)
        return Dictionary(configurations.map { ($0.commandName ?? "", $0.abstract) }) { first, _ in first }
    }

    @Test("every command that is displayed has a name and an abstract of one sentence")
    func abstracts() {
        #expect(Self.displayed.keys.sorted() == ["connect", "healthcheck", "run", "serve", "version"])
        for abstract in Self.displayed.values {
            #expect(abstract.hasSuffix("."))
            #expect(!abstract.dropLast().contains(". "))
        }
    }

    @Test("every command that is displayed stands in the help of lodge with its abstract")
    func listed() throws {
        // Wide enough that no line is broken.
        let help = LodgeCommand.helpMessage(columns: 400)
        for (name, abstract) in Self.displayed {
            let line = help.split(separator: "\n").first { $0.hasPrefix("  \(name) ") }
            #expect(line?.hasSuffix(" " + abstract) == true)
        }
    }

    @Test("a command that is not displayed stands nowhere in the help of lodge")
    func hidden() {
        #expect(!LodgeCommand.helpMessage(columns: 400).contains("reference"))
    }

    @Test(
        "--help of each command is its own page",
        arguments: LodgeCommand.configuration.subcommands.map { $0.configuration.commandName ?? "" })
    func pages(name: String) throws {
        var command = try LodgeCommand.parseAsRoot([name, "--help"])
        let asked = try #require(throws: (any Error).self) { try command.run() }
        #expect(LodgeCommand.exitCode(for: asked) == .success)
        #expect(LodgeCommand.fullMessage(for: asked).contains("USAGE: lodge \(name)"))
    }

    @Test("--version is the version alone")
    func version() throws {
        let asked = try #require(throws: (any Error).self) { _ = try LodgeCommand.parseAsRoot(["--version"]) }
        #expect(LodgeCommand.fullMessage(for: asked) == Version.current)
    }
}
