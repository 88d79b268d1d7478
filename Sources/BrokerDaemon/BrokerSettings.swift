// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration
import Logging
package import Secrets

/// Everything that a broker is started with, checked and resolved but for secrets.
///
/// It is what commands and front doors produce; nothing below them knows a flag.
package struct BrokerSettings: Sendable {
    package enum Authentication: Sendable {
        /// One grant for every server, opened by this token.
        case bearer(BearerToken, principal: String)
        /// Everybody is let in; switched on by name only.
        case none
    }

    package var servers: [ServerSpecification]
    /// The server behind `/mcp`; nil means the only one, where there is only one.
    package var defaultServer: String?
    /// A further path of the default server, beside `/mcp`.
    package var defaultPath: String?
    /// Further names of servers in paths, each with the server's own name.
    package var aliases: [String: String] = [:]
    package var host = "127.0.0.1"
    package var port = Defaults.listenPort.value
    package var authentication: Authentication
    package var allowedHosts: [String] = []
    package var allowedOrigins: [String] = []
    /// Whether a request may name any Host; for a listener beyond loopback whose names nobody told us.
    package var allowsAnyHost = false
    /// The response headers that pages of an allowed origin may read.
    package var exposedHeaders = ["Mcp-Session-Id"]
    /// Whether `/healthz` says that the servers can be used, as `/readyz` does.
    package var healthIsReadiness = false
    /// Whether the media types and the revision that a message names are not judged.
    package var readsLeniently = false
    /// Whether a call inside a session whose server is down or too slow is answered with 503 instead of 200.
    package var outageIsUnavailable = false
    /// Whether sessions of a shared server end with its process instead of going on over a restart.
    package var sessionsEndWithGeneration = false
    /// What stands before a line of a server's stderr in the log; nil logs it as the line of a named server.
    package var standardErrorPrefix: String?
    package var bodyLimit = Defaults.bodyLimit.value
    package var callTimeout = Defaults.callTimeout.value
    package var callAbsoluteTimeout = Defaults.callAbsoluteTimeout.value
    package var startTimeout = Defaults.startTimeout.value
    package var restartDelays = Defaults.restartDelays.value
    /// Whether each finished call is written to the log.
    package var logsCalls = false
    /// Whether a server counts as started only once it listed its tools.
    package var provesTools = false
    /// Whether a server that names no tools allows none.
    package var onlyListedTools = false
    /// Whether endpoints are served without sessions; servers with isolation `client` cannot be.
    package var stateless = false
    /// Lodge's own environment, from which references and passed names are resolved.
    package var environment: [String: String]
    package var version: String

    package init(
        servers: [ServerSpecification], authentication: Authentication, environment: [String: String], version: String
    ) {
        self.servers = servers
        self.authentication = authentication
        self.environment = environment
        self.version = version
    }

    /// Refuses a server that cannot be served as these settings say.
    func check(_ server: ServerSpecification) throws(ConfigurationError) {
        guard !stateless || server.isolation != .client else { throw server.needsSessions }
    }

    /// What may be used of a server's tools, its own rules and the broker's taken together.
    func toolRules(of server: ServerSpecification) -> ToolRules {
        var rules = server.tools
        if rules.allowed == nil, onlyListedTools { rules.allowed = [] }
        return rules
    }
}
