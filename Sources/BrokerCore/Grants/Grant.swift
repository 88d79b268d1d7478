// SPDX-License-Identifier: Apache-2.0

/// Who a client is, as far as Lodge knows: the holder of one grant.
package struct Principal: Hashable, Sendable, CustomStringConvertible {
    /// The name under which the grant was made; shown in logs, never a token.
    package let name: String

    package init(name: String) { self.name = name }

    /// Everybody, where authentication is switched off by name.
    package static let anonymous = Principal(name: "anonymous")

    /// Whether this is one client's identity, so that what it alone uses can be shown to it alone.
    package var isIdentified: Bool { self != .anonymous }

    package var description: String { name }
}

/// What a bearer token stands for: a principal, the servers it may use, and an expiry.
///
/// It is not the token: tokens are stored as digests only, in ``GrantTable``.
package struct Grant: Sendable {
    package enum Servers: Sendable, Hashable {
        case all
        case only(Set<String>)

        package func contains(_ server: String) -> Bool {
            switch self {
            case .all: true
            case .only(let names): names.contains(server)
            }
        }
    }

    package let principal: Principal
    package let servers: Servers
    /// The end of the grant; nil where it ends with the process.
    package let expiry: ContinuousClock.Instant?

    package init(principal: Principal, servers: Servers = .all, expiry: ContinuousClock.Instant? = nil) {
        self.principal = principal
        self.servers = servers
        self.expiry = expiry
    }

    /// What every client holds where authentication is off.
    package static let open = Grant(principal: .anonymous)

    /// Whether the grant reaches this server; a server outside it is answered as if it did not exist.
    package func reaches(server: String) -> Bool { servers.contains(server) }
}
