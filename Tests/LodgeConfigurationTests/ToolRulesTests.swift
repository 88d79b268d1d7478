// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("Rules of a server's tools")
struct ToolRulesTests {
    private func server(_ members: String) throws -> ServerSpecification {
        try #require(try parsed(#"{"mcpServers":{"a":{"command":"c",\#(members)}}}"#).servers.first)
    }

    @Test("allow, deny and rename are read, and no member means no rule")
    func read() throws {
        let rules = try server(#""tools":{"allow":["git_*"],"deny":["git_push"],"rename":{"git_log":"history"}}"#).tools
        #expect(rules.allowed?.map(\.text) == ["git_*"])
        #expect(rules.denied.map(\.text) == ["git_push"])
        #expect(rules.renamed == ["git_log": "history"])
        #expect(try server(#""tools":{}"#).tools == ToolRules())
        #expect(try server(#""tools":null,"result_limit":null"#).resultLimit == nil)
    }

    @Test("a list is what allow would be, as is allowedTools")
    func list() throws {
        let wanted = try server(#""tools":{"allow":["x","y*"]}"#).tools
        #expect(try server(#""tools":["x","y*"]"#).tools == wanted)
        #expect(try server(#""allowedTools":["x","y*"]"#).tools == wanted)
        #expect(try server(#""allowedTools":["x"],"tools":{"deny":["z"]}"#).tools.denied.map(\.text) == ["z"])
    }

    @Test("the filters of other clients are kept")
    func filters() throws {
        let gemini = try server(#""includeTools":["x","y"],"excludeTools":["y"]"#).tools
        #expect(gemini.allowed?.map(\.text) == ["x", "y"])
        #expect(gemini.denied.map(\.text) == ["y"])
        let codex = try server(#""enabled_tools":["x"],"disabled_tools":["z"],"tools":{"deny":["w"]}"#).tools
        #expect(codex.allowed?.map(\.text) == ["x"])
        #expect(codex.denied.map(\.text) == ["z", "w"])
    }

    @Test("in a list of servers the case of members does not matter, that of tools does")
    func foldedCase() throws {
        let rules = try #require(
            try parsed(#"[{"name":"a","command":"c","Tools":{"Deny":["X"],"Rename":{"Old":"New"}}}]"#).servers.first
        ).tools
        #expect(rules.denied.map(\.text) == ["X"])
        #expect(rules.renamed == ["Old": "New"])
    }

    @Test(
        "what cannot be a rule is refused with its place",
        arguments: [
            (#""tools":5"#, "1:43: server 'a': tools must be an object with allow, deny and rename, not a number"),
            (
                #""tools":{"denny":["x"]}"#,
                "1:44: server 'a': tools: 'denny' is not known; use allow, deny and rename"
            ),
            (#""tools":{"deny":"x"}"#, "1:51: server 'a': tools: deny must be a list of strings, not a string"),
            (#""tools":{"deny":[],"deny":[]}"#, "1:54: server 'a': tools: 'deny' appears twice; keep one"),
            (
                #""tools":{"allow":["a,b"]}"#,
                "1:53: tool pattern 'a,b' cannot be used; write TOOL, PREFIX*, mcp__SERVER__TOOL or mcp__SERVER__*"
            ),
            (
                #""tools":{"allow":[]},"allowedTools":[]"#,
                "1:43: server 'a': allowedTools and tools.allow say the same; keep one"
            ),
            (
                #""tools":{"rename":[]}"#,
                "1:53: server 'a': tools: rename must be an object of old and new names, not a list"
            ),
            (#""tools":{"rename":{"x":1}}"#, "1:58: server 'a': tools: rename x must be a string, not a number"),
            (
                #""tools":{"rename":{"x":"y z"}}"#,
                "1:58: server 'a': tools: the new name 'y z' cannot be used; use 1 to 128 of A-Z, a-z, 0-9, _, - and ."
            ),
            (#""tools":{"rename":{"x":"y","x":"z"}}"#, "1:62: server 'a': tools: rename has 'x' twice; keep one"),
            (
                #""tools":{"rename":{"x":"n","y":"n"}}"#,
                "1:66: server 'a': tools: 'x' and 'y' would both be named 'n'; choose another name"
            ),
            (
                #""tools":{"allow":["x","y"],"rename":{"x":"y"}}"#,
                "1:43: server 'a': tools: 'x' would be named 'y', as another allowed tool is; choose another name"
            ),
        ])
    func refused(members: String, message: String) {
        #expect(refusal(#"{"mcpServers":{"a":{"command":"c",\#(members)}}}"#) == "mcp.json:\(message)")
    }

    @Test(
        "two allowed tools may exchange names, and a denied one holds none",
        arguments: [
            #""allow":["x","y"],"rename":{"x":"y","y":"x"}"#, #""allow":["x","y"],"deny":["y"],"rename":{"x":"y"}"#,
            #""allow":["x"],"rename":{"x":"y"}"#, #""allow":["y"],"rename":{"x":"y"}"#, #""rename":{"x":"x"}"#,
        ])
    func accepted(rules: String) throws {
        _ = try server(#""tools":{\#(rules)}"#)
    }

    @Test(
        "a limit is a number of bytes, or one with a unit of 1,024",
        arguments: [
            ("100", 100), (#""100""#, 100), (#""64KiB""#, 65_536), (#""1MiB""#, 1 << 20), (#""2 GiB""#, 2 << 30),
            (#""7B""#, 7),
        ])
    func limit(written: String, bytes: Int) throws {
        #expect(try server(#""result_limit":\#(written)"#).resultLimit == bytes)
    }

    @Test("any other limit is refused", arguments: ["0", "-1", "1.5", "1e3", #""1MB""#, #""big""#, #""""#])
    func noLimit(written: String) {
        let text = written.filter { $0 != "\"" }
        #expect(
            refusal(#"{"mcpServers":{"a":{"command":"c","result_limit":\#(written)}}}"#)
                == "mcp.json:1:50: server 'a': result_limit '\(text)' cannot be used;"
                + " write bytes as a number, or as in 64KiB or 1MiB")
        #expect(
            refusal(#"{"mcpServers":{"a":{"command":"c","result_limit":[]}}}"#)
                == "mcp.json:1:50: server 'a': result_limit must be a number of bytes, not a list")
    }

    @Test("an agent is told of tools by the names that it sees")
    func patternsOfClients() throws {
        func patterns(_ rules: String) throws -> [String]? {
            try server(#""tools":{\#(rules)}"#).tools.patternsOfClients(of: ServerName("a"))?.map(\.text)
        }
        #expect(try patterns(#""deny":["x"],"rename":{"y":"z"}"#) == nil)
        #expect(try patterns(#""allow":["x","y*","mcp__b__x"]"#) == ["x", "y*"])
        #expect(try patterns(#""allow":["x","y"],"deny":["y"],"rename":{"x":"new"}"#) == ["mcp__a__new"])
        #expect(try patterns(#""allow":["x*"],"rename":{"x1":"n","other":"m"}"#) == ["x*", "mcp__a__n"])
    }
}
