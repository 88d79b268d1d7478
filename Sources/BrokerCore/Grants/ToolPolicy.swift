// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration

/// Decides whether a tool of one server may be used; listing and calling both ask it.
///
/// It is not the agent's own permission system, and it knows nothing of arguments.
package struct ToolPolicy: Sendable, Equatable {
    private struct Allowed: Sendable, Equatable {
        let server: ServerName
        let patterns: [ToolPattern]
    }

    /// The patterns of which one must fit; nil allows every tool.
    private let allowed: Allowed?

    private init(_ allowed: Allowed?) { self.allowed = allowed }

    /// Allows the tools of a server that fit a pattern; no pattern allows none.
    package init(server: ServerName, allowing patterns: [ToolPattern]) {
        self.init(Allowed(server: server, patterns: patterns))
    }

    /// Every tool of the server.
    package static let everything = ToolPolicy(nil)

    /// Whether nothing has to be checked.
    package var allowsEverything: Bool { allowed == nil }

    package func allows(_ tool: String) -> Bool {
        guard let allowed else { return true }
        return allowed.patterns.contains { $0.matches(server: allowed.server, tool: tool) }
    }
}
