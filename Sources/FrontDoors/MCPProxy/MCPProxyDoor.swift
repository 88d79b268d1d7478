// SPDX-License-Identifier: Apache-2.0
import BrokerDaemon
import LodgeConfiguration
import Logging
import Secrets

/// `mcp-proxy`: stdio servers behind HTTP endpoints, or a remote server on standard input and output.
///
/// A command is the default server; a URL makes it a client. What differs from it on purpose stands in
/// docs/front-doors.md.
struct MCPProxyDoor {
    let environment: [String: String]
    let version: String

    func request(
        _ words: [String], readFile: (String) -> [UInt8]?
    ) throws(DoorRefusal) -> DoorRequest {
        let arguments = try MCPProxyArguments(words)
        switch arguments.question {
        case .help: return .show(MCPProxyHelp.text)
        case .version: return .show("mcp-proxy, by lodge \(version)")
        case nil: break
        }
        // An old way to name it.
        let commandOrURL = arguments.commandOrURL ?? environment["SSE_URL"].flatMap { $0.isEmpty ? nil : $0 }
        if let url = commandOrURL, url.hasPrefix("http://") || url.hasPrefix("https://") {
            return .connect(try MCPProxyClient(arguments, environment: environment).request(to: url))
        }
        let file = arguments.values[.namedServerConfig]
        guard commandOrURL != nil || file != nil || !arguments.namedServers.isEmpty else {
            throw DoorRefusal(
                "no server; give a command, --named-server NAME COMMAND or --named-server-config FILE",
                help: MCPProxyHelp.text)
        }
        var servers = MCPProxyServers(
            passed: arguments.switches[.passEnvironment] == true ? ServerCommand.whole(environment) : [])
        if let file {
            if !arguments.namedServers.isEmpty {
                servers.warnings.append("--named-server is not looked at beside --named-server-config")
            }
            try servers.add(file: file, content: readFile(file))
        } else {
            for (name, command) in arguments.namedServers { try servers.add(name, commandLine: command) }
        }
        if let commandOrURL { try servers.setDefault(commandOrURL, arguments) }
        return .serve(try service(try servers.assembled(), arguments))
    }

    private func service(
        _ servers: MCPProxyServers.Assembled, _ arguments: MCPProxyArguments
    ) throws(DoorRefusal) -> DoorService {
        let ports = (new: try port(arguments, .port), old: try port(arguments, .ssePort))
        let place = ListenPlace(
            host: arguments.values[.host] ?? arguments.values[.sseHost] ?? "127.0.0.1",
            port: ports.new ?? ports.old ?? 0)
        var settings = BrokerSettings(
            servers: servers.specifications, authentication: .none, environment: environment, version: version)
        settings.defaultServer = servers.defaultServer?.text
        settings.aliases = servers.aliases
        settings.host = place.host
        settings.port = place.port
        // Beyond loopback nobody told the names under which clients know this machine.
        settings.allowsAnyHost = !place.isLoopback
        settings.allowedOrigins = arguments.allowedOrigins
        if !arguments.exposedHeaders.isEmpty { settings.exposedHeaders = arguments.exposedHeaders }
        settings.stateless = arguments.switches[.stateless] ?? false
        // A first start that has to fetch its program may take minutes, and nothing cut it short.
        settings.startTimeout = Defaults.callTimeout.value
        var service = DoorService(
            settings: settings, listenHint: "--host and --port say where to listen; 0 is a free port")
        service.logLevel = try logLevel(arguments)
        service.warnings = servers.warnings
        for (name, _) in arguments.environment where CredentialNames.isCredential(name) {
            service.warnings.append(
                "--env \(name) puts a credential into the process list; export it and use --pass-environment")
        }
        service.warnings.append("there is no authentication: whoever reaches \(place.text) can call the servers")
        return service
    }

    private func port(_ arguments: MCPProxyArguments, _ flag: MCPProxyArguments.Flag) throws(DoorRefusal) -> Int? {
        guard let written = arguments.values[flag] else { return nil }
        guard let port = UInt16(written) else {
            throw MCPProxyArguments.usage("--\(flag.rawValue) '\(written)' is not a port; use a number up to 65535")
        }
        return Int(port)
    }

    private func logLevel(_ arguments: MCPProxyArguments) throws(DoorRefusal) -> Logger.Level {
        let levels: [String: Logger.Level] = [
            "DEBUG": .debug, "INFO": .info, "WARNING": .warning, "ERROR": .error, "CRITICAL": .critical,
        ]
        let written = arguments.values[.logLevel] ?? "INFO"
        guard let level = levels[written] else {
            throw MCPProxyArguments.usage(
                "--log-level '\(written)' is not a level; use DEBUG, INFO, WARNING, ERROR or CRITICAL")
        }
        return arguments.switches[.debug] == true ? .debug : level
    }
}
