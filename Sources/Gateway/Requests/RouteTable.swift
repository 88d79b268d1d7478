// SPDX-License-Identifier: Apache-2.0
package import BrokerCore

/// What stands behind each path of the gateway.
///
/// It knows no methods and no grants. A trailing slash is the same path, never a redirect.
package struct RouteTable: Sendable {
    package enum Endpoint: Sendable {
        /// The MCP endpoint of a server.
        case server(any ServerRelay)
        /// Where a client of the 2024-11-05 transport opens its stream, and the path that it is then told.
        case events(any ServerRelay, messages: String)
        /// Where it sends its messages.
        case messages(any ServerRelay)
        /// A path of the form of an MCP endpoint, but of no server here. Whoever holds no token is not told.
        case noServer
        case health
        case readiness
        case status
        case metrics
        /// A path of OAuth discovery, which has a clean answer while there is no authorization server.
        case authorizationDiscovery
        case nothing
    }

    package let servers: [any ServerRelay]
    /// By the whole path, with and without its trailing slash, so that a request needs no string of its own.
    private let endpoints: [String: any ServerRelay]
    private let defaultServer: (any ServerRelay)?

    /// - Parameter defaultServer: the server behind `/mcp`; nil means the only one, where there is only one.
    package init(_ servers: [any ServerRelay], defaultServer: String? = nil) {
        self.servers = servers
        let paths = servers.flatMap { [(Self.path(to: $0.name), $0), (Self.path(to: $0.name) + "/", $0)] }
        endpoints = Dictionary(paths) { first, _ in first }
        let only = servers.count == 1 ? servers[0] : nil
        self.defaultServer = defaultServer.map { name in servers.first { $0.name == name } } ?? only
    }

    package func endpoint(at path: String) -> Endpoint {
        switch path {
        case "/mcp", "/mcp/": return defaultServer.map { .server($0) } ?? .noServer
        case "/sse", "/sse/": return defaultServer.map { .events($0, messages: "/messages/") } ?? .noServer
        case "/messages", "/messages/": return defaultServer.map { .messages($0) } ?? .noServer
        case "/healthz", "/healthz/": return .health
        case "/readyz", "/readyz/": return .readiness
        case "/status", "/status/": return .status
        case "/metrics", "/metrics/": return .metrics
        case "/register", "/register/": return .authorizationDiscovery
        default: break
        }
        if let server = endpoints[path] { return .server(server) }
        if let (name, leaf) = Self.serverPath(path) {
            guard let server = servers.first(where: { name.elementsEqual($0.name.utf8) }) else { return .noServer }
            switch leaf {
            case .mcp: return .server(server)
            case .sse: return .events(server, messages: "/servers/\(server.name)/messages/")
            case .messages: return .messages(server)
            }
        }
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
        return (hasDefault ? ["/mcp"] : []) + reached.map { Self.path(to: $0.name) }
    }

    private static func path(to server: String) -> String { "/servers/\(server)/mcp" }

    private enum Leaf: String { case mcp, sse, messages }

    /// The parts of a path of the form `/servers/<anything>/mcp`, or of the 2024-11-05 transport.
    private static func serverPath(_ path: String) -> (server: Substring.UTF8View, leaf: Leaf)? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 4 || parts.count == 5 && parts[4].isEmpty else { return nil }
        guard parts[0].isEmpty, parts[1].elementsEqual("servers".utf8), !parts[2].isEmpty,
            let leaf = Leaf(rawValue: String(Substring(parts[3])))
        else { return nil }
        return (parts[2], leaf)
    }
}
