// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import LodgeConfiguration
import MCPProtocol

/// What the flags of `serve` say of the server whose command stands behind `--`.
struct CommandLineServer: ParsableArguments {
    @Option(help: "Its name in URLs and logs; taken from the command by default.")
    var name: String?

    @Option(
        name: .customLong("env"),
        help: "Pass a variable of Lodge's environment by NAME, or set NAME=VALUE where the value is no credential.")
    var variables: [String] = []

    @Option(help: "Read NAME=VALUE lines for its environment from a file.")
    var envFile: String?

    @Option(help: "Its working directory.")
    var cwd: String?

    @Option(help: "What it speaks: legacy begins with initialize; modern is 2026-07-28. Nothing is probed.")
    var era: Era?

    /// Whether any of the flags was given.
    var isGiven: Bool { name != nil || !variables.isEmpty || envFile != nil || cwd != nil || era != nil }

    /// - Parameter environment: Lodge's own.
    func specification(
        _ command: [String], isolation: Isolation, replicas: Int, environment: [String: String]
    ) throws -> (server: ServerSpecification, warnings: [String]) {
        do {
            let program = command[0]
            let base = String(program.split(separator: "/").last ?? "server")
            let serverName = try name.map { try ServerName($0) } ?? ServerName.slug(of: base) ?? ServerName("server")
            var child = try ChildSpecification(
                server: serverName, literal: program, arguments: Array(command.dropFirst()))
            let entries = try EnvironmentEntries(
                server: serverName, flags: variables, file: envFile, environment: environment)
            child.environment = entries.values
            child.passThrough = entries.passed
            child.namesReferences = true
            if let cwd {
                child.workingDirectory = try ConfiguredValue(
                    cwd.replacing("${", with: "$${"), at: ValuePlace(server: serverName.text, role: .workingDirectory))
            }
            var server = ServerSpecification(name: serverName, transport: .child(child), isolation: isolation)
            server.replicas = replicas
            server.era = era ?? .legacy
            return (server, entries.warnings)
        } catch let error as ConfigurationError {
            throw CommandFailure(message: error.description, status: 2)
        }
    }
}

extension Era: ExpressibleByArgument {}
