// SPDX-License-Identifier: Apache-2.0

private import LodgeConfiguration

/// Which program an agent is, as far as Lodge adds arguments for it.
package enum AgentKind: String, Hashable, Sendable, CaseIterable {
    /// Any program: the user says with `{mcp-config}` where the file goes.
    case generic
    /// Claude Code.
    case claude
}

/// An agent cannot be launched with these arguments; the message says why and what to change.
package struct AgentArgumentsError: Error, Hashable, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}

/// Builds an agent's command line from the user's, with the configuration file where the agent looks for it.
package enum AgentArguments {
    /// What the user writes for the path of the configuration file; every occurrence is replaced, inside a word too.
    package static let placeholder = "{mcp-config}"

    /// Returns the agent's program and arguments.
    ///
    /// For Claude Code, the arguments go before the user's own: its `--mcp-config` and `--allowedTools` take every word
    /// up to the next option, so `--strict-mcp-config` comes last and keeps them from swallowing the user's prompt.
    /// Where the user placed the file with `{mcp-config}`, it is not named a second time.
    package static func build(
        _ command: [String], kind: AgentKind, configurationFile: String, endpoints: [AgentEndpoint]
    ) throws(AgentArgumentsError) -> [String] {
        guard let program = command.first, !program.isEmpty else {
            throw AgentArgumentsError("there is no agent to start; name its program after --")
        }
        let placed = command.dropFirst().contains { $0.contains(placeholder) }
        let words = command.dropFirst().map { $0.replacing(placeholder, with: configurationFile) }
        guard kind == .claude else { return [program] + words }
        if words.prefix(while: { $0 != "--" }).contains("--bare") {
            throw AgentArgumentsError(
                "claude --bare drops servers that are reached by HTTP, so the agent would see none of Lodge's;"
                    + " leave --bare out")
        }
        var added = placed ? [] : ["--mcp-config", configurationFile]
        let tools = allowedTools(of: endpoints)
        if !tools.isEmpty { added += ["--allowedTools", tools.joined(separator: ",")] }
        return [program] + added + ["--strict-mcp-config"] + words
    }

    /// Returns the tools in the form of Claude Code's permission rules, in order of the servers' names.
    ///
    /// A server without a list is allowed whole. This only spares the user a question: Lodge itself decides on each
    /// call.
    package static func allowedTools(of endpoints: [AgentEndpoint]) -> [String] {
        var rules: [String] = []
        for endpoint in endpoints.sorted(by: { $0.name < $1.name }) {
            guard let patterns = endpoint.allowedTools else {
                rules.append("mcp__\(endpoint.name)__*")
                continue
            }
            for pattern in patterns where pattern.server == nil || pattern.server == endpoint.name {
                let rule = "mcp__\(endpoint.name)__\(pattern.tool)"
                if !rules.contains(rule) { rules.append(rule) }
            }
        }
        return rules
    }
}
