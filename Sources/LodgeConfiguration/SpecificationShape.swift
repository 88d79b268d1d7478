// SPDX-License-Identifier: Apache-2.0

/// Where in a document of another program its servers stand: the member that holds them by name.
enum SpecificationShape: String, CaseIterable {
    /// Claude Code and Desktop, Cursor, Gemini CLI, Windsurf, Cline, the Inspector.
    case mcpServers
    /// Visual Studio Code.
    case servers
    /// Zed.
    case contextServers = "context_servers"
    /// Codex.
    case mcpServersOfCodex = "mcp_servers"
    /// OpenCode; its second version has the servers one level deeper.
    case mcp

    /// What a document without servers is told to have.
    static var names: String {
        let all = allCases.map { "'\($0.rawValue)'" }
        return all.dropLast().joined(separator: ", ") + " or " + (all.last ?? "")
    }

    /// The members that may hold servers, the likeliest first.
    static func found(in members: [PositionedJSON.Member]) -> (name: String, all: [PositionedJSON.Member])? {
        for shape in allCases {
            let found = members.filter { $0.key == shape.rawValue }
            guard let first = found.first else { continue }
            guard shape == .mcp, case .object(let inner) = first.value.content,
                let deeper = inner.first(where: { $0.key == SpecificationShape.servers.rawValue }),
                case .object(let entries) = deeper.value.content, !entries.contains(where: { $0.key == "type" })
            else { return (shape.rawValue, found) }
            return ("mcp.servers", [deeper])
        }
        return nil
    }
}
