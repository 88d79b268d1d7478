// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Foundation
import LodgeConfiguration
import MCPProtocol
package import Secrets

/// What `serve` says once it is ready: a line of JSON for programs, a snippet and what is withheld for people.
package struct ServeAnnouncement: Sendable {
    private let printsJSON: Bool
    private let readyFile: String?
    private let isStateless: Bool
    private let token: BearerToken?
    private let showsToken: Bool
    /// Whether nothing but the addresses is told, to people who have their clients set up.
    package var isBrief = false

    /// - Parameter showsToken: whether a person has no other way to learn the token; it is shown on a terminal only.
    package init(
        printsJSON: Bool, readyFile: String?, isStateless: Bool = false, token: BearerToken?, showsToken: Bool
    ) {
        self.printsJSON = printsJSON
        self.readyFile = readyFile
        self.isStateless = isStateless
        self.token = token
        self.showsToken = showsToken
    }

    func make(servers: [ServedServer]) throws {
        let line = ReadyLine(servers: servers, token: token).text
        if let readyFile {
            do throws(SecretsError) {
                try PrivateFile.replace(readyFile, with: Array(line.utf8), what: "ready file")
            } catch {
                throw ServeSession.Failure(message: error.message, hints: [])
            }
        }
        if printsJSON {
            do {
                try FileHandle.standardOutput.write(contentsOf: Data(line.utf8))
            } catch {
                throw ServeSession.Failure(
                    message: "the line of --json cannot be written: nobody reads the standard output",
                    hints: ["use --ready-file to have it in a file"])
            }
        }
        _ = StandardErrorWriter.shared.write(Array(text(servers, onTerminal: isatty(STDERR_FILENO) == 1).utf8))
    }

    /// Removes what told of a broker that has ended.
    func takeBack() {
        // What cannot be removed holds a token that opens nothing any more.
        if let readyFile { try? FileManager.default.removeItem(atPath: readyFile) }
    }

    /// What a person reads; the token stands in it only on a terminal.
    func text(_ servers: [ServedServer], onTerminal: Bool) -> String {
        var lines: [String] = []
        for server in servers {
            lines.append("serving '\(server.name)' at \(server.url)")
            if let url = server.defaultURL { lines.append("serving '\(server.name)', the default, at \(url) too") }
            if let url = server.ownURL { lines.append("serving '\(server.name)' alone at \(url)") }
        }
        if isBrief {
            for server in servers {
                if let url = server.eventsURL { lines.append("over HTTP+SSE: '\(server.name)' at \(url)") }
            }
            return (lines + statelessness).joined(separator: "\n") + "\n"
        }
        lines.append("paste into a client's mcp.json:")
        lines.append(snippet(servers))
        if token == nil {
            lines.append("authentication is off: whoever can connect can call")
        } else if showsToken {
            lines.append(
                onTerminal
                    ? "export LODGE_TOKEN=\(token?.value ?? "")"
                    : "a token was minted and is not shown here; use --json, --ready-file or --token-file")
        }
        lines += withheld(from: servers)
        lines += statelessness
        return lines.joined(separator: "\n") + "\n"
    }

    private var statelessness: [String] {
        guard isStateless else { return [] }
        return [
            "stateless: there are no sessions; withheld besides: "
                + Isolation.withheldWithoutSessions.joined(separator: ", ")
        ]
    }

    /// One line for each isolation and era; it names its servers where there is another.
    private func withheld(from servers: [ServedServer]) -> [String] {
        let groups = Isolation.allCases.flatMap { isolation in
            Era.allCases.map { era in
                (isolation, era, names: servers.filter { $0.isolation == isolation && $0.era == era }.map(\.name))
            }
        }.filter { !$0.names.isEmpty }
        return groups.map { isolation, era, names in
            let start =
                "isolation \(isolation.rawValue)" + (groups.count > 1 ? " (\(names.joined(separator: ", ")))" : "")
            let withheld = isolation.withheld(of: era)
            guard !withheld.isEmpty else {
                return "\(start): each session has a process of its own; nothing is withheld"
            }
            let process = servers.count > 1 ? "one process of each" : "one process"
            let rule =
                switch isolation {
                case .client, .shared: "all clients share \(process)"
                case .call: "each call has a process of its own"
                case .pool: "all clients share several equal processes"
                }
            return "\(start): \(rule); withheld: "
                + withheld.joined(separator: ", ") + " (--isolation client gives them)"
        }
    }

    private func snippet(_ servers: [ServedServer]) -> String {
        var entries: [String] = []
        for server in servers {
            let headers = token == nil ? "" : #", "headers": {"Authorization": "Bearer ${LODGE_TOKEN}"}"#
            entries.append(#"    "\#(server.name)": {"type": "http", "url": "\#(server.url)"\#(headers)}"#)
        }
        return "{\n  \"mcpServers\": {\n" + entries.joined(separator: ",\n") + "\n  }\n}"
    }
}
