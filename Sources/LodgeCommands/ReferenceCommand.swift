// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LodgeConfiguration

/// Prints docs/reference.md: the help of every command, and the defaults, from the declarations that the program uses.
struct ReferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference", abstract: "Print the reference page.", shouldDisplay: false)

    func run() async throws {
        print("# Reference\n")
        print("Made by `lodge reference`; do not edit. CI fails when it is not what the program prints.\n")
        for command in [LodgeCommand.self] + LodgeCommand.configuration.subcommands {
            guard command.configuration.shouldDisplay else { continue }
            let name = command == LodgeCommand.self ? "lodge" : "lodge \(command._commandName)"
            print("## \(name)\n\n```text")
            print(LodgeCommand.helpMessage(for: command, columns: 110))
            print("```\n")
        }
        print("## Defaults\n")
        print("| what | value | meaning |")
        print("|---|---|---|")
        for row in DefaultsTable.rows { print("| \(row.key) | \(row.value) | \(row.text) |") }
    }
}
