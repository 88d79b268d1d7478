// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// A reason the agent cannot do its work, as one sentence.
struct AgentError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// The MCP servers an agent is told to use, in the common shape `{"mcpServers": {"name": {"type": "http", …}}}`.
struct ClientConfiguration {
    struct Server {
        var name: String
        var url: HTTPAddress
        var headers: [(name: String, value: String)]
    }

    let servers: [Server]

    init(file: String) throws {
        let document = try JSONValue(parsing: try [UInt8](contentsOf: file))
        guard let entries = document["mcpServers"]?.members, !entries.isEmpty else {
            throw AgentError("\(file) names no server under 'mcpServers'")
        }
        servers = try entries.map { entry in
            guard let text = entry.value["url"]?.text else {
                throw AgentError("server '\(entry.name)' in \(file) has no url; this agent speaks HTTP only")
            }
            let url = try Self.expanded(text, file)
            guard let address = HTTPAddress(url) else {
                throw AgentError("server '\(entry.name)' in \(file) has a url that is not http://HOST:PORT/PATH")
            }
            let headers = try (entry.value["headers"]?.members ?? []).map { header in
                (name: header.name, value: try Self.expanded(header.value.text ?? "", file))
            }
            return Server(name: entry.name, url: address, headers: headers)
        }
    }

    /// Puts environment variables in the place of `${NAME}`.
    private static func expanded(_ text: String, _ file: String) throws -> String {
        var output = ""
        var rest = Substring(text)
        while let opening = rest.firstRange(of: "${"), let closing = rest[opening.upperBound...].firstIndex(of: "}") {
            let name = String(rest[opening.upperBound..<closing])
            guard let value = ProcessState.environmentVariable(name) else {
                throw AgentError("environment variable '\(name)', named in \(file), is not set")
            }
            output += rest[..<opening.lowerBound] + value
            rest = rest[rest.index(after: closing)...]
        }
        return output + rest
    }
}
