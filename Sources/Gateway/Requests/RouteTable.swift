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
    /// By what stands for a server in its paths: its name, or an alias in either of its forms.
    private let names: [String: any ServerRelay]
    private let defaultServer: (any ServerRelay)?
    private let aggregate: (any ServerRelay)?

    /// - Parameters:
    ///   - defaultServer: the server behind `/mcp`; nil means the only one, where there is only one.
    ///   - defaultPath: a further path of that server.
    ///   - aliases: further names of servers in paths, each with the server's own name.
    ///   - aggregate: what stands behind `/all/mcp`; it is none of the servers.
    package init(
        _ servers: [any ServerRelay], defaultServer: String? = nil, defaultPath: String? = nil,
        aliases: [String: String] = [:], aggregate: (any ServerRelay)? = nil
    ) {
        self.servers = servers
        self.aggregate = aggregate
        let only = servers.count == 1 ? servers[0] : nil
        let theDefault = defaultServer.map { name in servers.first { $0.name == name } } ?? only
        self.defaultServer = theDefault
        var names = Dictionary(servers.map { ($0.name, $0) }) { first, _ in first }
        for (alias, name) in aliases {
            guard let server = servers.first(where: { $0.name == name }) else { continue }
            // Clients write a path with percent-encoding or without.
            for form in [alias, Self.percentEncoded(alias)] where names[form] == nil { names[form] = server }
        }
        self.names = names
        var paths = names.map { (Self.path(to: $0.key), $0.value) }
        if let defaultPath, let theDefault { paths.append((defaultPath, theDefault)) }
        endpoints = Dictionary(paths.flatMap { [$0, ($0.0 + "/", $0.1)] }) { first, _ in first }
    }

    package func endpoint(at path: String) -> Endpoint {
        switch path {
        case "/mcp", "/mcp/": return defaultServer.map { .server($0) } ?? .noServer
        case "/sse", "/sse/": return defaultServer.map { .events($0, messages: "/messages/") } ?? .noServer
        case "/messages", "/messages/": return defaultServer.map { .messages($0) } ?? .noServer
        case "/all/mcp", "/all/mcp/": return aggregate.map { .server($0) } ?? .nothing
        case "/healthz", "/healthz/": return .health
        case "/readyz", "/readyz/": return .readiness
        case "/status", "/status/": return .status
        case "/metrics", "/metrics/": return .metrics
        case "/register", "/register/": return .authorizationDiscovery
        default: break
        }
        if let server = endpoints[path] { return .server(server) }
        if let (name, leaf) = Self.serverPath(path) {
            guard let server = names[name] else { return .noServer }
            switch leaf {
            case .mcp: return .server(server)
            case .sse: return .events(server, messages: "/servers/\(name)/messages/")
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
        // For one server, the endpoint of all is no news.
        let hasAll = aggregate != nil && reached.count > 1
        return (hasDefault ? ["/mcp"] : []) + reached.map { Self.path(to: $0.name) } + (hasAll ? ["/all/mcp"] : [])
    }

    private static func path(to server: String) -> String { "/servers/\(server)/mcp" }

    private enum Leaf: String { case mcp, sse, messages }

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

    /// The parts of a path of the form `/servers/<anything>/mcp`, or of the 2024-11-05 transport.
    private static func serverPath(_ path: String) -> (server: String, leaf: Leaf)? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 4 || parts.count == 5 && parts[4].isEmpty else { return nil }
        guard parts[0].isEmpty, parts[1].elementsEqual("servers".utf8), !parts[2].isEmpty,
            let leaf = Leaf(rawValue: String(Substring(parts[3])))
        else { return nil }
        return (String(Substring(parts[2])), leaf)
    }
}
