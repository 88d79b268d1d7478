// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("Shapes of other programs")
struct SpecificationShapeTests {
    private func read(_ text: String) throws -> SpecificationFile {
        try SpecificationFile.read(
            Array(text.utf8), sourceName: "f", options: .init(isolation: .client, allowsComments: true))
    }

    private func reasons(_ file: SpecificationFile) -> [String] {
        file.entries.compactMap { if case .refused(let error) = $0 { "\(error)" } else { nil } }
    }

    @Test(
        "each holds its servers under its own member",
        arguments: [
            #"{"mcpServers":{"a":{"command":"c"}}}"#, #"{"inputs":[],"servers":{"a":{"command":"c"}}}"#,
            #"{"theme":"x","context_servers":{"a":{"source":"custom","command":"c"}}}"#,
            #"{"mcp_servers":{"a":{"command":"c"}}}"#, #"{"mcp":{"a":{"type":"local","command":["c"]}}}"#,
            #"{"mcp":{"servers":{"a":{"type":"local","command":["c"]}}}}"#,
            #"{"mcp":{"servers":{"a":{"command":"c"}}}}"#,
        ])
    func shapes(_ text: String) throws {
        let servers = try read(text).everyServer()
        #expect(servers.map(\.name.text) == ["a"])
        #expect(try servers.first?.child().command.text == "c")
        #expect(servers.first?.isolation == .client)
    }

    @Test("a server of OpenCode that is called servers is a server")
    func serverCalledServers() throws {
        let servers = try read(#"{"mcp":{"servers":{"type":"local","command":["c","x"]}}}"#).everyServer()
        #expect(servers.map(\.name.text) == ["servers"])
    }

    @Test("OpenCode has command and arguments in one list, and references in braces alone")
    func openCode() throws {
        let child = try #require(
            try read(
                #"{"mcp":{"a":{"type":"local","command":["c","-v","{env:HOME}/x"],"environment":"#
                    + #"{"K":"{env:KEY}","F":"{file:/p}","P":"${env:Q}","J":"{\"a\":1}"}}}}"#
            ).everyServer().first
        ).child()
        #expect(child.arguments.map(\.text) == ["-v", "${env:HOME}/x"])
        #expect(
            child.environment.mapValues(\.text)
                == ["K": "${env:KEY}", "F": "${file:/p}", "P": "${env:Q}", "J": #"{"a":1}"#])
    }

    @Test("a brace is a brace in every other shape")
    func braces() throws {
        let child = try #require(
            try read(#"{"mcpServers":{"a":{"command":"c","args":["{env:HOME}"]}}}"#).everyServer().first
        ).child()
        #expect(child.arguments.map(\.text) == ["{env:HOME}"])
        #expect(child.arguments.first?.hasReferences == false)
    }

    @Test(
        "an address under any name is a remote server",
        arguments: [
            #""httpUrl":"https://h/mcp""#, #""serverUrl":"https://h/mcp""#, #""type":"remote","url":"https://h/mcp""#,
            #""type":"streamableHttp","url":"https://h/mcp""#,
        ])
    func remote(_ members: String) throws {
        let server = try #require(try read(#"{"mcpServers":{"a":{\#(members)}}}"#).everyServer().first)
        guard case .remote(let remote) = server.transport else {
            Issue.record("not remote")
            return
        }
        #expect(remote.url.text == "https://h/mcp")
    }

    @Test("a server that an extension of Zed starts is refused with the reason")
    func extensionOfZed() throws {
        let file = try read(#"{"context_servers":{"a":{"source":"extension","settings":{}},"b":{"command":"c"}}}"#)
        #expect(
            reasons(file) == [
                "f:1:35: server 'a' has the source 'extension', so another program knows how to start it;"
                    + " give it a command or leave it out"
            ])
        #expect(file.entries.count == 2)
    }

    @Test("an input that an editor asks for is refused with the reason")
    func input() throws {
        let file = try read(#"{"servers":{"a":{"command":"c","env":{"K":"${input:k}"}}}}"#)
        #expect(
            reasons(file) == [
                "f:1:43: server 'a': env K has ${input:k}, for which an editor asks its user, and Lodge asks nobody;"
                    + " use ${env:NAME} or ${file:PATH}"
            ])
    }

    @Test("comments and trailing commas are taken, and positions stay right")
    func comments() throws {
        let text = """
            // of an editor
            {
              /* more
                 lines */ "servers": {
                "a": {"command": "c", "args": ["//no comment", "/* nor this */",],}, // behind
                "b": 7,
              },
            }
            """
        let file = try read(text)
        #expect(try read(text.replacing(": 7", with: ": {\"command\": \"d\"}")).everyServer().count == 2)
        #expect(reasons(file) == ["f:6:10: server 'b' must be an object, not a number"])
        guard case .server(let server)? = file.entries.first else {
            Issue.record("no server")
            return
        }
        #expect(try server.child().arguments.map(\.text) == ["//no comment", "/* nor this */"])
    }

    @Test("a comment without an end is a file without an end", arguments: ["{ /* ", "[ // ", "[1, /"])
    func openComment(_ text: String) {
        #expect(throws: ConfigurationError.self) { try read(text) }
    }

    @Test("a file of a whole program's settings is not listed in full")
    func settings() throws {
        let file = try read(#"{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"servers":{}}"#)
        #expect(file.notices.map(\.description) == ["f: only 'servers' is read; ignored: a, b, c, d, e and 2 more"])
    }

    @Test("a server that is switched off has to be right in nothing else, and is no warning")
    func disabled() throws {
        let file = try read(#"{"servers":{"a":{"disabled":true,"command":7},"b":{"enabled":false}}}"#)
        #expect(file.entries.isEmpty)
        #expect(file.notices.map(\.severity) == [.info, .info])
    }
}
