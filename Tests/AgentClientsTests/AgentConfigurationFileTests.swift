// SPDX-License-Identifier: Apache-2.0

import AgentClients
import Foundation
import LodgeConfiguration
import Secrets
import Testing

func endpoint(_ name: String, _ tools: [String]? = nil) throws -> AgentEndpoint {
    try AgentEndpoint(
        name: ServerName(name), url: "http://127.0.0.1:4711/servers/\(name)/mcp",
        allowedTools: tools?.map { try ToolPattern.parse($0) })
}

@Suite("AgentConfigurationFile")
struct AgentConfigurationFileTests {
    @Test("each server has its type, its URL and one header, in order of the names")
    func content() throws {
        let content = try AgentConfigurationFile.content(
            for: [endpoint("git"), endpoint("a")], token: .environmentVariable("LODGE_TOKEN"))
        #expect(
            content == """
                {
                  "mcpServers": {
                    "a": {
                      "type": "http",
                      "url": "http://127.0.0.1:4711/servers/a/mcp",
                      "headers": {
                        "Authorization": "Bearer ${LODGE_TOKEN}"
                      }
                    },
                    "git": {
                      "type": "http",
                      "url": "http://127.0.0.1:4711/servers/git/mcp",
                      "headers": {
                        "Authorization": "Bearer ${LODGE_TOKEN}"
                      }
                    }
                  }
                }

                """)
    }

    @Test("no server is an empty configuration")
    func empty() {
        #expect(
            AgentConfigurationFile.content(for: [], token: .environmentVariable("T")) == "{\n  \"mcpServers\": {}\n}\n")
    }

    @Test("an agent that expands nothing gets the token itself")
    func literal() throws {
        let token = BearerToken.mint()
        let content = try AgentConfigurationFile.content(for: [endpoint("a")], token: .inFile(token))
        #expect(content.contains("\"Authorization\": \"Bearer \(token.value)\""))
    }

    @Test("what JSON cannot hold as it is comes back from a JSON reader unchanged")
    func escapes() throws {
        var odd = try endpoint("a")
        odd.url = "http://h/\"\\\u{1}\n☃"
        let content = AgentConfigurationFile.content(for: [odd], token: .environmentVariable("T"))
        let servers = try #require(
            JSONSerialization.jsonObject(with: Data(content.utf8)) as? [String: [String: [String: Any]]])
        #expect(servers["mcpServers"]?["a"]?["url"] as? String == odd.url)
    }

    @Test("the file is its owner's alone, replaces an earlier one, and leaves nothing beside it")
    func write() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "lodge-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let path = directory.appending(path: "mcp-config.json").path(percentEncoded: false)
        try Data("old".utf8).write(to: URL(filePath: path))
        try AgentConfigurationFile.write([endpoint("a")], token: .environmentVariable("T"), to: path)
        let written = try String(contentsOfFile: path, encoding: .utf8)
        #expect(try written == AgentConfigurationFile.content(for: [endpoint("a")], token: .environmentVariable("T")))
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path(percentEncoded: false)) == [
                "mcp-config.json"
            ])
    }

    @Test("a directory that is not there is named")
    func noDirectory() {
        let message = "agent configuration '/lodge-none/c.json' cannot be written: no such file or directory"
        #expect(throws: SecretsError(.unreadable, message)) {
            try AgentConfigurationFile.write([], token: .environmentVariable("T"), to: "/lodge-none/c.json")
        }
    }
}
