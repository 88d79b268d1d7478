// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Foundation
import LodgeConfiguration
import Logging
import Secrets

/// One stdio server as an HTTP endpoint, in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve one stdio server over Streamable HTTP.",
        usage: "lodge serve [<options>] -- <command> [<argument> ...]",
        discussion:
            "The server gets a built environment: PATH, HOME and their like, and what --env and --env-file name.")

    @Option(help: "Where to listen: HOST:PORT; port 0 takes a free one.")
    var listen = ListenAddress(host: "127.0.0.1", port: Defaults.listenPort.value)

    @Flag(help: "Listen beyond this machine without TLS.")
    var insecureListen = false

    @Option(help: "shared: one process for all clients; client: one process for each session.")
    var isolation: Isolation = .shared

    @Flag(help: "Serve without sessions: every request stands alone. Takes isolation shared only.")
    var stateless = false

    @Option(help: "The server's name in URLs and logs; taken from the command by default.")
    var name: String?

    @Option(
        name: .customLong("env"),
        help: "Pass a variable of Lodge's environment by NAME, or set NAME=VALUE where the value is no credential.")
    var variables: [String] = []

    @Option(help: "Read NAME=VALUE lines for the server's environment from a file.")
    var envFile: String?

    @Option(help: "The server's working directory.")
    var cwd: String?

    @Option(help: "A further Host that clients may name; repeat it for several.")
    var allowHost: [String] = []

    @Option(help: "A further Origin that browsers may come from; repeat it for several.")
    var allowOrigin: [String] = []

    @Flag(help: "Print one line of JSON when ready: servers, token, pid.")
    var json = false

    @Option(help: "Write the line of --json to this file, readable by its owner only.")
    var readyFile: String?

    @Flag(help: "Log every finished call.")
    var logCalls = false

    @OptionGroup(title: "Authentication") var authentication: AuthenticationOptions
    @OptionGroup(title: "Limits and log") var broker: BrokerOptions

    @Argument(parsing: .postTerminator, help: "The server's command and its arguments.")
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty, command.first?.isEmpty == false else {
            throw ValidationError("no server command; write it behind --, as in: lodge serve -- mcp-server-time")
        }
        guard !stateless || isolation == .shared else {
            throw ValidationError(
                "--stateless and --isolation client exclude each other: a process for each session needs sessions")
        }
        guard listen.isLoopback || insecureListen else {
            throw ValidationError(
                "listening on \(listen.host) would carry tokens in clear beyond this machine; "
                    + "listen on 127.0.0.1 behind a TLS proxy, or add --insecure-listen")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let given = try authentication.token(environment: environment)
        let (server, warnings) = try specification()
        var settings = BrokerSettings(
            servers: [server],
            authentication: given.map { .bearer($0.token, principal: "client") } ?? .none,
            environment: environment, version: Version.current)
        settings.host = listen.host
        settings.port = listen.port
        settings.allowedHosts = allowHost
        settings.allowedOrigins = allowOrigin
        settings.logsCalls = logCalls
        settings.stateless = stateless
        broker.apply(to: &settings)
        let redactor = SharedRedactor()
        let announcement = ServeAnnouncement(
            printsJSON: json, readyFile: readyFile, isolation: isolation, isStateless: stateless, token: given?.token,
            showsToken: given?.isMinted == true && !json)
        let logger = broker.logger(redactor)
        for warning in warnings { logger.warning("\(warning)") }
        let session = ServeSession(settings, redactor: redactor, logger: logger)
        do {
            try await session.run(announcement)
        } catch let error as ServeSession.Failure {
            throw CommandFailure(message: error.message, hints: error.hints)
        }
    }

    private func specification() throws -> (ServerSpecification, warnings: [String]) {
        do {
            let program = command[0]
            let base = String(program.split(separator: "/").last ?? "server")
            let serverName = try name.map { try ServerName($0) } ?? ServerName.slug(of: base) ?? ServerName("server")
            var child = try ChildSpecification(
                server: serverName, literal: program, arguments: Array(command.dropFirst()))
            let entries = try EnvironmentEntries(
                server: serverName, flags: variables, file: envFile,
                environment: ProcessInfo.processInfo.environment)
            child.environment = entries.values
            child.passThrough = entries.passed
            if let cwd {
                child.workingDirectory = try ConfiguredValue(
                    cwd.replacing("${", with: "$${"), at: ValuePlace(server: serverName.text, role: .workingDirectory))
            }
            let specification = ServerSpecification(
                name: serverName, transport: .child(child), isolation: isolation)
            return (specification, entries.warnings)
        } catch let error as ConfigurationError {
            throw CommandFailure(message: error.description, status: 2)
        }
    }
}

extension Isolation: ExpressibleByArgument {}
