// SPDX-License-Identifier: Apache-2.0
package import ArgumentParser
import BrokerDaemon
import FrontDoors

/// The `lodge` program: its subcommands, and how every one of them ends.
package struct LodgeCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "lodge",
        abstract: "Agents get the tools. The keys stay at the lodge.",
        discussion: "An MCP broker: it runs MCP servers, keeps their keys on its own side, and gives each agent an "
            + "authenticated endpoint with no secret in it.",
        version: Version.current,
        subcommands: [
            ServeCommand.self, RunCommand.self, ConnectCommand.self, AsCommand.self, HealthcheckCommand.self,
            VersionCommand.self,
            ReferenceCommand.self,
        ])

    package init() {}

    /// Parses, runs and answers the exit status: 0 ok, 1 failed, 2 usage, 4 unreachable, or an agent's own.
    ///
    /// - Parameter programPath: under what name lodge was started; that of a front door chooses that door.
    package static func execute(_ arguments: [String], programPath: String? = nil) async -> Int32 {
        let door = programPath.flatMap { FrontDoor(programPath: $0) }
        return await execute(door.map { ["as", $0.rawValue] + arguments } ?? arguments)
    }

    private static func execute(_ arguments: [String]) async -> Int32 {
        // What was logged stands before the sentence that ends the program, and is not lost with it.
        defer { StandardErrorWriter.shared.flush() }
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            return 0
        } catch let failure as CommandFailure {
            say(failure.rendered)
            return failure.status
        } catch let code as ExitCode {
            return code.rawValue
        } catch {
            return report(error)
        }
    }

    private static func report(_ error: any Error) -> Int32 {
        let status = exitCode(for: error)
        guard status != .success else {
            // Help and version were asked for; they are data.
            print(fullMessage(for: error))
            return 0
        }
        let isUsage = status == .validationFailure
        let text = isUsage ? fullMessage(for: error).replacing("Error: ", with: "error: ") : "error: \(error)"
        say(text + "\n")
        return isUsage ? 2 : 1
    }

    /// Writes to standard error; where nobody reads it, the exit status has to do.
    private static func say(_ text: String) {
        _ = StandardErrorWriter.shared.write(Array(text.utf8))
    }
}

/// The version of this program.
package enum Version {
    package static let current = "0.1.0"
}

/// A command that could not do its work: a sentence, hints, and an exit status.
struct CommandFailure: Error {
    var message: String
    var hints: [String] = []
    var status: Int32 = 1

    var rendered: String { (["error: \(message)"] + hints.map { "hint: \($0)" }).joined(separator: "\n") + "\n" }
}
