// SPDX-License-Identifier: Apache-2.0

/// What a server's entry says of its tools: which may be used, which may not, and under which names.
///
/// Patterns and the left sides of `renamed` speak of the server's own names. It decides nothing: the broker's policy
/// does, for lists and calls alike.
package struct ToolRules: Hashable, Sendable {
    /// Tools that may be used: nil if the configuration does not say, empty if it says none.
    package var allowed: [ToolPattern]?
    /// Tools that may not be used, whatever is allowed.
    package var denied: [ToolPattern] = []
    /// The names that clients see, by the server's own names.
    package var renamed: [String: String] = [:]

    package init(allowed: [ToolPattern]? = nil, denied: [ToolPattern] = [], renamed: [String: String] = [:]) {
        self.allowed = allowed
        self.denied = denied
        self.renamed = renamed
    }

    /// Whether a tool of the server, by its own name, may be used.
    package func allow(_ tool: String, of server: ServerName) -> Bool {
        guard allowed.map({ $0.contains { $0.matches(server: server, tool: tool) } }) ?? true else { return false }
        return !denied.contains { $0.matches(server: server, tool: tool) }
    }

    /// The allowed tools as patterns of the names that clients see; nil for all of them.
    ///
    /// It may admit more than the rules do, because a pattern cannot leave out what is denied.
    package func patternsOfClients(of server: ServerName) -> [ToolPattern]? {
        guard let allowed else { return nil }
        var patterns: [ToolPattern] = []
        for pattern in allowed where pattern.server == nil || pattern.server == server {
            if pattern.isExact, renamed[pattern.tool] != nil || !allow(pattern.tool, of: server) { continue }
            patterns.append(pattern)
        }
        for (own, new) in renamed.sorted(by: { $0.value < $1.value }) where allow(own, of: server) {
            // A name that was read from a configuration is one that a pattern can hold.
            if let pattern = try? ToolPattern.parse("mcp__\(server)__\(new)") { patterns.append(pattern) }
        }
        return patterns
    }
}

extension ToolPattern {
    /// Whether the tool's part fits one name only.
    package var isExact: Bool { !tool.utf8.contains(UInt8(ascii: "*")) }
}
