// SPDX-License-Identifier: Apache-2.0
package import BrokerCore

/// What stands behind each path of the gateway.
///
/// It knows no methods and no grants. A trailing slash is the same path, never a redirect.
package struct RouteTable: Sendable {
    package enum Endpoint: Sendable {
        /// The MCP endpoint of a server.
        case server(any ServerRelay)
        /// A path of the form of an MCP endpoint, but of no server here. Whoever holds no token is not told.
        case noServer
        case health
        case readiness
        case status
        /// A path of OAuth discovery, which has a clean answer while there is no authorization server.
        case authorizationDiscovery
        case nothing
    }

    package let servers: [any ServerRelay]
    /// By the whole path, with and without its trailing slash, so that a request needs no string of its own.
    private let endpoints: [String: any ServerRelay]
    private let defaultServer: (any ServerRelay)?
    private let aggregate: (any ServerRelay)?

    /// - Parameters:
    ///   - defaultServer: the server behind `/mcp`; nil means the only one, where there is only one.
    ///   - aggregate: what stands behind `/all/mcp`; it is none of the servers.
    package init(
        _ servers: [any ServerRelay], defaultServer: String? = nil, aggregate: (any ServerRelay)? = nil
    ) {
        self.servers = servers
        self.aggregate = aggregate
        let paths = servers.flatMap { [(Self.path(to: $0.name), $0), (Self.path(to: $0.name) + "/", $0)] }
        endpoints = Dictionary(paths) { first, _ in first }
        let only = servers.count == 1 ? servers[0] : nil
        self.defaultServer = defaultServer.map { name in servers.first { $0.name == name } } ?? only
    }

    package func endpoint(at path: String) -> Endpoint {
        switch path {
        case "/mcp", "/mcp/": return defaultServer.map { .server($0) } ?? .noServer
        case "/all/mcp", "/all/mcp/": return aggregate.map { .server($0) } ?? .nothing
        case "/healthz", "/healthz/": return .health
        case "/readyz", "/readyz/": return .readiness
        case "/status", "/status/": return .status
        case "/register", "/register/": return .authorizationDiscovery
        default: break
        }
        if let server = endpoints[path] { return .server(server) }
        if Self.isServerPath(path) { return .noServer }
        if path.hasPrefix("/.well-known/oauth-protected-resource")
            || path.hasPrefix("/.well-known/oauth-authorization-server")
        {
            return .authorizationDiscovery
        }
        return .nothing
    }

    /// The MCP endpoints that a grant reaches, for a client that asked for another path.
    package func paths(for grant: Grant) -> [String] {
        let reached = servers.filter { grant.reaches(server: $0.name) }
        let hasDefault = defaultServer.map { grant.reaches(server: $0.name) } ?? false
        // For one server, the endpoint of all is no news.
        let hasAll = aggregate != nil && reached.count > 1
        return (hasDefault ? ["/mcp"] : []) + reached.map { Self.path(to: $0.name) } + (hasAll ? ["/all/mcp"] : [])
    }

    private static func path(to server: String) -> String { "/servers/\(server)/mcp" }

    /// Whether a path is `/servers/<anything>/mcp`.
    private static func isServerPath(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 4 || parts.count == 5 && parts[4].isEmpty else { return false }
        return parts[0].isEmpty && parts[1].elementsEqual("servers".utf8) && !parts[2].isEmpty
            && parts[3].elementsEqual("mcp".utf8)
    }
}
