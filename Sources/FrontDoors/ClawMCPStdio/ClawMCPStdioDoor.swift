// SPDX-License-Identifier: Apache-2.0
import BrokerDaemon
import LodgeConfiguration
import Secrets

/// `claw-mcp-stdio`: one stdio server behind an HTTP endpoint, told by the environment alone.
///
/// Its one flag, `-healthcheck`, is written as Go's flags are. What differs from it on purpose stands in
/// docs/front-doors.md.
struct ClawMCPStdioDoor {
    private let variables: ClawVariables
    private let version: String

    init(environment: [String: String], version: String) {
        variables = ClawVariables(environment)
        self.version = version
    }

    func request(_ arguments: [String]) throws(DoorRefusal) -> DoorRequest {
        var asksHealth = false
        // Go's flags end at the first word that is none; what follows is not looked at.
        for word in arguments.prefix(while: { $0.count > 1 && $0.hasPrefix("-") && $0 != "--" }) {
            let flag = word.drop { $0 == "-" }
            switch flag {
            case "h", "help": return .show(Self.help)
            case "healthcheck": asksHealth = true
            case let flag where flag.hasPrefix("healthcheck="): asksHealth = try Self.boolean(flag.dropFirst(12))
            default:
                throw DoorRefusal(
                    "flag '\(word)' is not known; claw-mcp-stdio is told by variables, and its one flag is -healthcheck",
                    status: 2)
            }
        }
        return asksHealth ? .healthcheck(try healthProbe()) : .serve(try service())
    }

    private static func boolean(_ word: Substring) throws(DoorRefusal) -> Bool {
        switch word {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default:
            throw DoorRefusal("-healthcheck is true or false, not '\(word)'", status: 2)
        }
    }

    private func healthProbe() throws(DoorRefusal) -> HealthProbe {
        let place = try variables.place()
        let isWildcard = place.host == ListenPlace.everywhere || place.host == "::"
        return HealthProbe(host: isWildcard ? "127.0.0.1" : place.host, port: place.port, path: "/healthz")
    }

    private func service() throws(DoorRefusal) -> DoorService {
        let program = try variables.command()
        let command = ServerCommand(
            program: program, arguments: try variables.arguments(),
            passed: ServerCommand.whole(variables.environment, without: [ClawVariables.Name.token.rawValue]))
        let name = ServerName.slug(of: String(program.split(separator: "/").last ?? "")) ?? .server
        let place = try variables.place()
        let token = try variables.token()
        let timeout = try variables.requestTimeout()
        var settings = BrokerSettings(
            servers: [try command.specification(named: name)],
            authentication: token.map { .bearer($0, principal: "client") } ?? .none,
            environment: variables.environment, version: version)
        settings.host = place.host
        settings.port = place.port
        settings.defaultPath = try variables.path()
        settings.bodyLimit = try variables.bodyLimit()
        settings.restartDelays = try variables.restartDelays()
        // It counts from the request's beginning, whatever the progress.
        settings.callTimeout = timeout
        settings.callAbsoluteTimeout = timeout
        // It waits for no start; a first start that has to fetch its program gets as long as a request.
        settings.startTimeout = max(Defaults.startTimeout.value, timeout)
        settings.allowsAnyHost = true
        settings.healthIsReadiness = true
        settings.readsLeniently = true
        settings.outageIsUnavailable = true
        settings.sessionsEndWithGeneration = true
        settings.standardErrorPrefix = "mcp-stdio stderr: "
        var service = DoorService(
            settings: settings, listenHint: "CLAW_MCP_STDIO_ADDR or CLAW_MCP_STDIO_PORT says where to listen")
        if let warning = Self.warning(place, hasToken: token != nil) { service.warnings.append(warning) }
        return service
    }

    private static func warning(_ place: ListenPlace, hasToken: Bool) -> String? {
        guard hasToken else {
            return "\(ClawVariables.Name.token.rawValue) is not set: whoever reaches \(place.text) can call the server"
        }
        guard !place.isLoopback else { return nil }
        return "\(place.text) is served without TLS: the token crosses the network in clear"
    }

    private static let help = """
        usage: claw-mcp-stdio [-healthcheck]

        Serves one stdio MCP server over HTTP. With -healthcheck it asks the one that runs here: exit status 0 or 1.

        CLAW_MCP_STDIO_COMMAND             the server's program; needed
        CLAW_MCP_STDIO_ARGS                its arguments, a JSON array of strings (default: [])
        CLAW_MCP_STDIO_ADDR                where to listen (default: :8080)
        CLAW_MCP_STDIO_PORT                the port alone, where ADDR is not set
        CLAW_MCP_STDIO_PATH                the path of the endpoint (default: /mcp)
        CLAW_MCP_STDIO_AUTH_TOKEN          the bearer token that clients need (default: none is needed)
        CLAW_MCP_STDIO_REQUEST_TIMEOUT_MS  how long a call may take (default: 60000)
        CLAW_MCP_STDIO_RESTART_BACKOFF_MS  the first wait before a restart; it doubles (default: 1000)
        CLAW_MCP_STDIO_RESTART_MAX_MS      the longest wait before a restart (default: 15000)
        CLAW_MCP_STDIO_MAX_BODY_BYTES      the longest request body (default: 1048576)
        """
}
