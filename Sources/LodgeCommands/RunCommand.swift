// SPDX-License-Identifier: Apache-2.0
import AgentClients
import ArgumentParser
import BrokerDaemon
import Foundation
import LodgeConfiguration
import Logging
import Sandbox
import Secrets

/// One agent session: servers, agent, and nothing left afterwards.
struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run an agent with MCP servers whose keys it cannot see.",
        usage: "lodge run --specs FILE [<options>] -- <agent> [<argument> ...]",
        discussion: "The agent gets a config file without a secret in it; {mcp-config} in its arguments is replaced by "
            + "the file's path. It ends with the agent's own exit status.")

    enum Tools: String, ExpressibleByArgument, CaseIterable { case all, listed }

    @Option(
        help:
            "A JSON file with the servers, or - for standard input: a list of {name, command, args, env}, or mcpServers."
    )
    var specs: String

    @Option(help: "What the agent is: claude gets its config flags added; generic takes {mcp-config} in its arguments.")
    var agent: AgentKind = .generic

    @Option(
        name: .customLong("pass"),
        help: "Pass this credential of Lodge's environment to the agent; repeat it for several.")
    var passed: [String] = []

    @Option(help: "all: a server that lists no tools allows all of them; listed: it allows none.")
    var tools: Tools = .all

    @Option(help: "auto: confine the agent where this machine can; required: refuse otherwise; off: do not.")
    var sandbox: SandboxMode = .auto

    @Option(help: "Write servers, token and pid as JSON to this file, readable by its owner only.")
    var readyFile: String?

    @OptionGroup(title: "Limits and log") var broker: BrokerOptions

    @Argument(parsing: .postTerminator, help: "The agent's command and its arguments.")
    var command: [String] = []

    func validate() throws {
        guard !command.isEmpty, command.first?.isEmpty == false else {
            throw ValidationError(
                "no agent; write its command behind --, as in: lodge run --specs FILE -- claude -p TASK")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let redactor = SharedRedactor()
        let logger = broker.logger(redactor)
        let servers = try servers(environment: environment, logger: logger)
        let token = BearerToken.mint()
        var settings = BrokerSettings(
            servers: servers, authentication: .bearer(token, principal: "agent"), environment: environment,
            version: Version.current)
        settings.port = 0
        settings.logsCalls = true
        settings.provesTools = true
        settings.onlyListedTools = tools == .listed
        broker.apply(to: &settings)
        let launch = AgentLaunch(command: command, kind: agent, passed: passed, inherited: environment)
        var plan = AgentSession.Plan(broker: settings, token: token, agent: launch, sandbox: sandbox)
        plan.hiddenPaths =
            OwnPlaces.all(environment: environment) + (specs == "-" ? [] : [OwnPlaces.absolute(specs)])
            + servers.flatMap { $0.secretFiles(home: environment["HOME"]) }.map(OwnPlaces.absolute)
        plan.readyFile = readyFile.map(OwnPlaces.absolute)
        do {
            let status = try await AgentSession(plan, redactor: redactor, logger: logger).run()
            throw ExitCode(status)
        } catch let failure as AgentSession.Failure {
            throw CommandFailure(message: failure.message, hints: failure.hints, status: failure.status)
        }
    }

    /// Every entry has to be right: an agent that lacks a server it was promised works on a wrong assumption.
    private func servers(environment: [String: String], logger: Logger) throws -> [ServerSpecification] {
        let file = try SpecificationSource(path: specs, flag: "--specs").read()
        do {
            let selected = RequiredVariables.select(try file.everyServer(), environment: environment)
            (file.notices + selected.notices).write(to: logger)
            return selected.servers.map { server in
                var server = server
                // The agent is told one address; a port of its own could be taken by a session beside this one.
                server.hostPort = nil
                return server
            }
        } catch {
            throw CommandFailure(message: error.description, status: 2)
        }
    }
}

extension AgentKind: ExpressibleByArgument {}
extension SandboxMode: ExpressibleByArgument {}

/// The places of Lodge's own files on this machine.
enum OwnPlaces {
    static func all(environment: [String: String]) -> [String] {
        func base(_ variable: String, _ fallback: String) -> String? {
            if let value = environment[variable], value.hasPrefix("/") { return value }
            guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
            return "\(home)/\(fallback)"
        }
        return [
            base("XDG_CONFIG_HOME", ".config"), base("XDG_STATE_HOME", ".local/state"),
            base("XDG_DATA_HOME", ".local/share"),
        ].compactMap { $0.map { "\($0)/lodge" } }
    }

    static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }
}
