// SPDX-License-Identifier: Apache-2.0

/// The servers of a file that can be used, each for itself: what is wrong with one leaves that one out.
///
/// It is for a broker that serves what it can. An agent session, which needs every server it names, takes
/// `SpecificationFile.everyServer()` instead.
package struct ServerChoice: Sendable {
    /// In the order in which they are served.
    package let servers: [ServerSpecification]
    /// What is to be told of the file; a server that was left out is a warning with its place.
    package let notices: [ConfigurationNotice]

    /// - Parameters:
    ///   - file: the file, if there is one.
    ///   - given: a server that does not come from the file; it comes first, and keeps its name against the file's.
    ///   - environment: Lodge's own, which decides on `requires`.
    ///   - hasSessions: whether there are sessions, without which isolation `client` cannot be.
    package init(
        file: SpecificationFile?, beside given: ServerSpecification? = nil, environment: [String: String],
        hasSessions: Bool = true
    ) {
        var notices = file?.notices ?? []
        var usable: [ServerSpecification] = []
        for entry in file?.entries ?? [] {
            do throws(ConfigurationError) {
                usable.append(try Self.usable(entry, beside: given, hasSessions: hasSessions))
            } catch {
                notices.append(ConfigurationNotice(.warning, "\(error) (left out)"))
            }
        }
        let selected = RequiredVariables.select(usable, environment: environment)
        servers = (given.map { [$0] } ?? []) + selected.servers
        self.notices = notices + selected.notices
    }

    private static func usable(
        _ entry: SpecificationFile.Entry, beside given: ServerSpecification?, hasSessions: Bool
    ) throws(ConfigurationError) -> ServerSpecification {
        let server: ServerSpecification
        switch entry {
        case .refused(let error): throw error
        case .server(let read): server = read
        }
        guard server.name != given?.name else {
            throw ConfigurationError(
                .duplicate,
                "server name '\(server.name)' is that of the server on the command line; rename one of them",
                at: server.origin)
        }
        guard hasSessions || server.isolation != .client else { throw server.needsSessions }
        _ = try server.child()
        return server
    }

    /// Checks what has to be right for all of them together.
    ///
    /// - Parameters:
    ///   - wanted: the name that was asked for as the default.
    ///   - listenPort: the broker's own port.
    package func check(defaultServer wanted: String?, listenPort: Int) throws(ConfigurationError) {
        if let wanted, !servers.contains(where: { $0.name.text == wanted }) {
            let names = servers.map(\.name.text).joined(separator: ", ")
            throw ConfigurationError(.name, "--default '\(wanted)' is none of the servers: \(names)")
        }
        var owners: [Int: ServerName] = [:]
        for server in servers {
            guard let port = server.hostPort else { continue }
            guard port != listenPort else {
                throw ConfigurationError(
                    .duplicate,
                    "server '\(server.name)' has the host_port \(port), which is the port of --listen;"
                        + " give it another", at: server.origin)
            }
            if let owner = owners.updateValue(server.name, forKey: port) {
                throw ConfigurationError(
                    .duplicate,
                    "servers '\(owner)' and '\(server.name)' have one host_port, \(port); give each its own",
                    at: server.origin)
            }
        }
    }
}
