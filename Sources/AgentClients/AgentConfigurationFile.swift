// SPDX-License-Identifier: Apache-2.0

private import LodgeConfiguration
package import Secrets

/// The `mcp-config.json` that an agent is launched with.
///
/// It has each server's name, type, URL and one header, and nothing of how Lodge reaches the server: no command,
/// argument, variable or secret. The token in the header is Lodge's own and stands there by reference unless the
/// placement says otherwise. The same servers always give the same bytes, whatever their order.
package enum AgentConfigurationFile {
    /// Returns the content of the file, indented by two spaces, the servers in order of their names.
    package static func content(for endpoints: [AgentEndpoint], token: TokenPlacement) -> String {
        let value =
            switch token {
            case .environmentVariable(let name): "Bearer ${\(name)}"
            case .inFile(let token): "Bearer \(token.value)"
            }
        let entries = endpoints.sorted { $0.name < $1.name }.map { endpoint in
            """
                \(quoted(endpoint.name.text)): {
                  "type": "http",
                  "url": \(quoted(endpoint.url)),
                  "headers": {
                    "Authorization": \(quoted(value))
                  }
                }
            """
        }
        guard !entries.isEmpty else { return "{\n  \"mcpServers\": {}\n}\n" }
        return "{\n  \"mcpServers\": {\n\(entries.joined(separator: ",\n"))\n  }\n}\n"
    }

    /// Writes the file, mode 0600, in one step.
    package static func write(
        _ endpoints: [AgentEndpoint], token: TokenPlacement, to path: String
    ) throws(SecretsError) {
        try PrivateFile.replace(
            path, with: Array(content(for: endpoints, token: token).utf8), what: "agent configuration")
    }

    /// Quotes a string as JSON, escaping only what RFC 8259 section 7 requires.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
