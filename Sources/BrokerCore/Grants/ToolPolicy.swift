// SPDX-License-Identifier: Apache-2.0

/// Decides whether a tool of one server may be used; listing and calling both ask it (decision 12).
///
/// It is not the agent's own permission system, and it knows nothing of arguments.
package struct ToolPolicy: Sendable, Equatable {
    /// A tool's name, or the beginning of one where it ends in `*`.
    package struct Pattern: Hashable, Sendable {
        private let text: String
        private let isPrefix: Bool

        package init(_ text: String) {
            isPrefix = text.hasSuffix("*")
            self.text = isPrefix ? String(text.dropLast()) : text
        }

        package func matches(_ tool: String) -> Bool { isPrefix ? tool.hasPrefix(text) : tool == text }
    }

    /// The patterns of which one must match; nil allows every tool.
    private let allowed: [Pattern]?

    package init(allowing patterns: [Pattern]?) { allowed = patterns }

    /// Every tool of the server.
    package static let everything = ToolPolicy(allowing: nil)

    /// Whether nothing has to be checked.
    package var allowsEverything: Bool { allowed == nil }

    package func allows(_ tool: String) -> Bool {
        guard let allowed else { return true }
        return allowed.contains { $0.matches(tool) }
    }
}
