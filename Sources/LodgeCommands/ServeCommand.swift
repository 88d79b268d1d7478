// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Foundation
import LodgeConfiguration
import Logging
import Secrets

/// Stdio servers as HTTP endpoints, in the foreground.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve stdio servers over Streamable HTTP.",
        usage: """
            lodge serve [<options>] -- <command> [<argument> ...]
            lodge serve --config FILE [<options>] [-- <command> [<argument> ...]]
            """,
        discussion:
            "A server gets a built environment: PATH, HOME and their like, and what --env and --env-file or its "
            + "entry in the file name. An entry that cannot be used is left out with a warning, and the others are "
            + "served.")

    @Option(help: "A file with servers, as MCP clients have it (mcpServers, servers, …), or - for standard input.")
    var config: String?

    @Option(
        name: .customLong("default"),
        help: "The server behind /mcp; by default the one behind --, or the only one.")
    var defaultServer: String?

    @Option(help: "Where to listen: HOST:PORT; port 0 takes a free one.")
    var listen = ListenAddress(host: "127.0.0.1", port: Defaults.listenPort.value)

    @Flag(help: "Listen beyond this machine without TLS.")
    var insecureListen = false

    @Flag(help: "Serve without sessions: every request stands alone. Not with isolation client.")
    var stateless = false

    @Option(
        help:
            "shared: one process for all clients; client: one for each session; call: one for each call; pool: several equal ones for all. An entry of the file may differ."
    )
    var isolation: Isolation = .shared

    @Option(help: "The processes of a server with isolation pool. (default: 2)")
    var replicas: Int?

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

    @OptionGroup(title: "The server behind --") var server: CommandLineServer
    @OptionGroup(title: "Authentication") var authentication: AuthenticationOptions
    @OptionGroup(title: "Limits and log") var broker: BrokerOptions

    @Argument(parsing: .postTerminator, help: "The server's command and its arguments.")
    var command: [String] = []

    func validate() throws {
        guard config != nil || !command.isEmpty, command.first?.isEmpty != true else {
            throw ValidationError(
                "no server; write its command behind --, as in: lodge serve -- mcp-server-time,"
                    + " or name a file of servers with --config")
        }
        guard !command.isEmpty || !server.isGiven else {
            throw ValidationError(
                "--name, --env, --env-file, --cwd and --era are for a server behind --; put them into its entry in the file"
            )
        }
        guard replicas.map({ (1...Isolation.replicaLimit).contains($0) }) != false else {
            throw ValidationError("--replicas takes a number from 1 to \(Isolation.replicaLimit)")
        }
        guard replicas == nil || isolation == .pool else {
            throw ValidationError("--replicas is for --isolation pool; leave it out, or serve with --isolation pool")
        }
        guard !stateless || isolation != .client else {
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
        let redactor = SharedRedactor()
        let logger = broker.logger(redactor)
        let given = try authentication.token(environment: environment)
        var settings = BrokerSettings(
            servers: try servers(environment: environment, logger: logger),
            authentication: given.map { .bearer($0.token, principal: "client") } ?? .none,
            environment: environment, version: Version.current)
        settings.defaultServer = defaultServer ?? (command.isEmpty ? nil : settings.servers.first?.name.text)
        settings.host = listen.host
        settings.port = listen.port
        settings.allowedHosts = allowHost
        settings.allowedOrigins = allowOrigin
        settings.logsCalls = logCalls
        settings.stateless = stateless
        broker.apply(to: &settings)
        let announcement = ServeAnnouncement(
            printsJSON: json, readyFile: readyFile, isStateless: stateless, token: given?.token,
            showsToken: given?.isMinted == true && !json)
        do {
            try await ServeSession(settings, redactor: redactor, logger: logger).run(announcement)
        } catch let error as ServeSession.Failure {
            throw CommandFailure(message: error.message, hints: error.hints)
        }
    }

    /// The server behind `--` first, then those of the file that can be used.
    private func servers(environment: [String: String], logger: Logger) throws -> [ServerSpecification] {
        let pool = replicas ?? Defaults.poolReplicas.value
        let given =
            command.isEmpty
            ? nil
            : try server.specification(
                command, isolation: isolation, replicas: pool, environment: environment)
        for warning in given?.warnings ?? [] { logger.warning("\(warning)") }
        let source = config.map { SpecificationSource(path: $0, flag: "--config") }
        let file = try source?.read(.init(isolation: isolation, replicas: pool, allowsComments: true))
        let choice = ServerChoice(file: file, beside: given?.server, environment: environment, hasSessions: !stateless)
        choice.notices.write(to: logger)
        guard !choice.servers.isEmpty else {
            let reason = choice.notices.isEmpty ? "it has none at all" : "the log says why"
            throw CommandFailure(
                message: "no server of '\(source?.name ?? "")' can be used; \(reason)", status: 2)
        }
        do {
            try choice.check(defaultServer: defaultServer, listenPort: listen.port)
        } catch {
            throw CommandFailure(message: error.description, status: 2)
        }
        return choice.servers
    }
}

extension Isolation: ExpressibleByArgument {}

extension [ConfigurationNotice] {
    func write(to logger: Logger) {
        for notice in self { logger.log(level: notice.severity == .warning ? .warning : .info, "\(notice)") }
    }
}
