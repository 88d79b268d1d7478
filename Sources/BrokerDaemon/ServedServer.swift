// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration
package import MCPProtocol

/// One server of a running broker, as clients find it.
package struct ServedServer: Sendable, Hashable {
    package var name: String
    package var url: String
    package var isolation: Isolation
    package var era = Era.legacy
    /// Where the server is alone, on a port of its own.
    package var ownURL: String?
    /// The plain `/mcp` that the server is behind beside its own path.
    package var defaultURL: String?

    /// Where a client of the 2024-11-05 transport opens its stream; nil where the endpoint has a path of its own.
    package var eventsURL: String? { url.hasSuffix("/mcp") ? url.dropLast(3) + "sse" : nil }

    package init(name: String, url: String, isolation: Isolation = .shared) {
        self.name = name
        self.url = url
        self.isolation = isolation
    }
}
