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

    /// - Parameters:
    ///   - defaultServer: the server behind `/mcp`; nil means the only one, where there is only one.
    ///   - defaultPath: a further path of that server.
    ///   - aliases: further names of servers in paths, each with the server's own name.
    package init(
        _ servers: [any ServerRelay], defaultServer: String? = nil, defaultPath: String? = nil,
        aliases: [String: String] = [:]
    ) {
        self.servers = servers
        let only = servers.count == 1 ? servers[0] : nil
        let theDefault = defaultServer.map { name in servers.first { $0.name == name } } ?? only
        self.defaultServer = theDefault
        var paths = servers.map { (Self.path(to: $0.name), $0) }
        if let defaultPath, let theDefault { paths.append((defaultPath, theDefault)) }
        for (alias, name) in aliases.sorted(by: { $0.key < $1.key }) {
            guard let server = servers.first(where: { $0.name == name }) else { continue }
            // Clients write a path with percent-encoding or without.
            for form in [alias, Self.percentEncoded(alias)] { paths.append((Self.path(to: form), server)) }
        }
        endpoints = Dictionary(paths.flatMap { [$0, ($0.0 + "/", $0.1)] }) { first, _ in first }
    }

    package func endpoint(at path: String) -> Endpoint {
        switch path {
        case "/mcp", "/mcp/": return defaultServer.map { .server($0) } ?? .noServer
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
        return (hasDefault ? ["/mcp"] : []) + reached.map { Self.path(to: $0.name) }
    }

    private static func path(to server: String) -> String { "/servers/\(server)/mcp" }

    /// A segment of a path with everything encoded that RFC 3986 does not call unreserved.
    private static func percentEncoded(_ segment: String) -> String {
        var encoded = ""
        for byte in segment.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let code = String(byte, radix: 16, uppercase: true)
                encoded += byte < 16 ? "%0\(code)" : "%\(code)"
            }
        }
        return encoded
    }

    /// Whether a path is `/servers/<anything>/mcp`.
    private static func isServerPath(_ path: String) -> Bool {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 4 || parts.count == 5 && parts[4].isEmpty else { return false }
        return parts[0].isEmpty && parts[1].elementsEqual("servers".utf8) && !parts[2].isEmpty
            && parts[3].elementsEqual("mcp".utf8)
    }
}
