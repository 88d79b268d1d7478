// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

func parsed(_ text: String) throws -> (servers: [ServerSpecification], warnings: [String]) {
    try SpecificationFile.parse(Array(text.utf8), sourceName: "mcp.json")
}

func refusal(_ text: String) -> String? {
    do { _ = try parsed(text) } catch { return "\(error)" }
    return nil
}

@Suite("SpecificationFile")
struct SpecificationFileTests {
    @Test("blank input has no servers", arguments: ["", " \n\t", "[]", #"{"mcpServers":{}}"#])
    func blank(_ text: String) throws {
        #expect(try parsed(text).servers.isEmpty)
    }

    @Test("a list is read whatever the case of its member names, nulls left out")
    func list() throws {
        let (servers, warnings) = try parsed(
            #"[{"Name":"git","COMMAND":"mcp-git","Args":["a b","*"],"Env":{"A":"1","B":null},"type":"stdio""#
                + #","AllowedTools":["git_*"]}]"#
        )
        let server = try #require(servers.first)
        let child = try server.child()
        #expect(server.name.text == "git")
        #expect(child.command.text == "mcp-git")
        #expect(child.arguments.map(\.text) == ["a b", "*"])
        #expect(child.environment.mapValues(\.text) == ["A": "1"])
        #expect(server.allowedTools?.map(\.text) == ["git_*"])
        #expect(server.isolation == .shared)
        #expect(warnings.isEmpty)
    }

    @Test("an object with mcpServers is read in the order of the file")
    func map() throws {
        let (servers, warnings) = try parsed(
            #"{"mcpServers":{"z":{"command":"c","cwd":"/w","isolation":"client"},"a":{"type":"stdio""#
                + #","command":"d","allowedTools":[]}}}"#
        )
        #expect(servers.map(\.name.text) == ["z", "a"])
        #expect(servers.map(\.isolation) == [.client, .shared])
        #expect(try servers.first?.child().workingDirectory?.text == "/w")
        #expect(servers.map { $0.allowedTools?.count } == [nil, 0])
        #expect(servers.first?.origin == SourceLocation(source: "mcp.json", line: 1, column: 16))
        #expect(warnings.isEmpty)
    }

    @Test(
        "remote servers are told apart by type",
        arguments: [
            (#""type":"http","#, RemoteSpecification.Kind.streamableHTTP),
            (#""type":"streamable-http","#, .streamableHTTP), (#""type":"sse","#, .serverSentEvents), ("", .unstated),
        ])
    func remote(_ type: String, _ kind: RemoteSpecification.Kind) throws {
        let text = #"{"mcpServers":{"r":{\#(type)"url":"https://h/mcp","headers":{"X":"${A_TOKEN}"}}}}"#
        let server = try #require(try parsed(text).servers.first)
        guard case .remote(let remote) = server.transport else {
            Issue.record("not remote")
            return
        }
        #expect(remote.kind == kind)
        #expect(remote.url.text == "https://h/mcp")
        #expect(remote.headers.mapValues(\.text) == ["X": "${A_TOKEN}"])
        #expect(
            throws: ConfigurationError(
                .unsupported,
                "server 'r' is reached by HTTP, which this version cannot do yet; give it a command or leave it out",
                at: server.origin)
        ) { try server.child() }
    }

    @Test(
        "a server that is switched off is left out with a warning",
        arguments: [#""disabled":true"#, #""enabled":false"#])
    func disabled(_ member: String) throws {
        let (servers, warnings) = try parsed(#"{"mcpServers":{"a":{"command":"c",\#(member)}}}"#)
        #expect(servers.isEmpty)
        #expect(warnings == ["mcp.json:1:16: server 'a' is disabled and left out"])
    }

    @Test("unknown members are warnings with their place")
    func unknown() throws {
        let (servers, warnings) = try parsed(
            "{\"projects\":{},\n \"mcpServers\":{\"a\":{\"command\":\"c\",\n  \"trust\":5}}}")
        #expect(servers.count == 1)
        #expect(
            warnings == [
                "mcp.json: only 'mcpServers' is read; ignored: projects",
                "mcp.json:3:3: server 'a': 'trust' is not known and ignored",
            ])
    }

    @Test("a name that is not Lodge's form is made so, with a warning")
    func slugged() throws {
        let (servers, warnings) = try parsed(#"[{"name":"GitHub Server","command":"c"}]"#)
        #expect(servers.map(\.name.text) == ["github-server"])
        #expect(warnings == ["mcp.json:1:2: server 'GitHub Server' is named 'github-server' here"])
    }

    @Test("numbers and booleans in env are taken as written")
    func scalars() throws {
        let child = try #require(
            try parsed(#"{"mcpServers":{"a":{"command":"c","env":{"N":1.50,"B":true}}}}"#).servers.first
        ).child()
        #expect(child.environment.mapValues(\.text) == ["N": "1.50", "B": "true"])
    }

    @Test("a byte order mark is skipped")
    func mark() throws {
        #expect(try parsed("\u{FEFF}[]").servers.isEmpty)
    }

    @Test("escapes and surrogate pairs come out as characters")
    func escapes() throws {
        let child = try #require(try parsed(#"[{"name":"a","command":"\u0063\/\n\ud83d\ude00☃"}]"#).servers.first)
            .child()
        #expect(child.command.text == "c/\n😀☃")
    }
}
