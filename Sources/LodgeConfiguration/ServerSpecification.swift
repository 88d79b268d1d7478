// SPDX-License-Identifier: Apache-2.0
package import MCPProtocol

/// A server as its configuration describes it, before anything is resolved or started.
package struct ServerSpecification: Hashable, Sendable {
    package var name: ServerName
    package var transport: ServerTransport
    package var isolation: Isolation
    /// Equal upstreams in isolation `pool`; of no meaning in any other.
    package var replicas = Defaults.poolReplicas.value
    package var tools: ToolRules
    /// The longest result of a tool that clients get whole, in bytes of text; nil for no limit.
    package var resultLimit: Int?
    /// Variables without which the server does not take part; see `RequiredVariables`.
    package var requires: [String] = []
    /// A port on which this server alone is served, beside the broker's own.
    package var hostPort: Int?
    /// How long a call of this server may go without an answer or progress; nil for the broker's.
    package var callTimeout: Duration?
    /// What the server speaks; a child is never probed, since some servers end on what they do not expect.
    package var era = Era.legacy
    /// Where the server is defined; nil if on a command line.
    package var origin: SourceLocation?

    package init(
        name: ServerName, transport: ServerTransport, isolation: Isolation = .shared,
        allowedTools: [ToolPattern]? = nil,
        origin: SourceLocation? = nil
    ) {
        tools = ToolRules(allowed: allowedTools)
        self.name = name
        self.transport = transport
        self.isolation = isolation
        self.origin = origin
    }

    /// Tools that may be used, by the server's own names: nil if the configuration does not say, empty if it says none.
    package var allowedTools: [ToolPattern]? { tools.allowed }

    /// Why the server cannot be served where there are no sessions.
    package var needsSessions: ConfigurationError {
        ConfigurationError(
            .unsupported,
            "server '\(name)' has isolation client, which needs sessions;"
                + " use isolation shared, or serve without --stateless", at: origin)
    }

    /// Returns the child, or throws for a server of a kind that this version cannot reach.
    package func child() throws(ConfigurationError) -> ChildSpecification {
        switch transport {
        case .child(let child): return child
        case .remote:
            throw ConfigurationError(
                .unsupported,
                "server '\(name)' is reached by HTTP, which this version cannot do yet;"
                    + " give it a command or leave it out", at: origin)
        }
    }
}

/// How a server is reached.
package enum ServerTransport: Hashable, Sendable {
    /// A process that Lodge starts and speaks to over its stdin and stdout.
    case child(ChildSpecification)
    /// A server that runs elsewhere and speaks HTTP.
    case remote(RemoteSpecification)
}

/// How upstreams of a server are shared among clients.
package enum Isolation: String, Hashable, Sendable, CaseIterable {
    /// One upstream for all.
    case shared
    /// One upstream for each legacy session or, for modern clients, each principal.
    case client
    /// One upstream for each call alone, and one that answers lists.
    case call
    /// Several equal upstreams for all; calls are spread over them.
    case pool

    /// The most replicas that a pool may have.
    package static let replicaLimit = 64

    /// Every isolation, for the end of an error: `shared, client, call or pool`.
    static var list: String {
        let words = allCases.map(\.rawValue)
        return words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    }
}

/// A server that runs elsewhere.
package struct RemoteSpecification: Hashable, Sendable {
    /// Which HTTP transport it speaks.
    package enum Kind: Hashable, Sendable {
        case streamableHTTP
        /// The transport of 2024-11-05.
        case serverSentEvents
        /// The configuration gives a URL and no type.
        case unstated
    }

    package var kind: Kind
    package var url: ConfiguredValue
    package var headers: [String: ConfiguredValue]

    package init(kind: Kind, url: ConfiguredValue, headers: [String: ConfiguredValue]) {
        self.kind = kind
        self.url = url
        self.headers = headers
    }
}
