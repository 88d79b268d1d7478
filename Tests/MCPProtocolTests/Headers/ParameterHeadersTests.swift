// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("headers of a tool's parameters") struct ParameterHeadersTests {
    private static func json(_ text: String) throws -> JSONValue { try JSONValue.parse(Array(text.utf8)) }

    private static func tool(_ schema: String) throws -> JSONValue {
        try json(#"{"name":"t","inputSchema":\#(schema)}"#)
    }

    private static func properties(_ properties: String) throws -> ParameterHeaders {
        try #require(ParameterHeaders(tool: Self.tool(#"{"type":"object","properties":{\#(properties)}}"#)))
    }

    private static let example = #"""
        "region":{"type":"string","x-mcp-header":"Region"},"count":{"type":"integer","x-mcp-header":"Count"},
        "deep":{"type":"object","properties":{"flag":{"type":"boolean","x-mcp-header":"Flag"}}},
        "x-mcp-header":{"type":"string"},"query":{"type":"string","default":{"x-mcp-header":7}}
        """#

    @Test(
        "annotated values become headers, in the order of the schema",
        arguments: [
            (
                #"{"count":42,"region":"us-west1","deep":{"flag":false},"query":"q"}"#,
                ["Mcp-Param-Region: us-west1", "Mcp-Param-Count: 42", "Mcp-Param-Flag: false"]
            ),
            (
                #"{"count":-7.0,"region":"Hello, 世界","deep":{"flag":true}}"#,
                ["Mcp-Param-Region: =?base64?SGVsbG8sIOS4lueVjA==?=", "Mcp-Param-Count: -7", "Mcp-Param-Flag: true"]
            ),
            (#"{"count":null,"region":"","deep":{}}"#, ["Mcp-Param-Region: "]),
            (#"{"count":4.2e1,"deep":"flag"}"#, ["Mcp-Param-Count: 42"]),
            (#"{"count":3.50}"#, ["Mcp-Param-Count: 3.50"]),
            (#"{"count":1e400}"#, ["Mcp-Param-Count: 1e400"]),
            (#"{"count":9007199254740993}"#, ["Mcp-Param-Count: 9007199254740993"]),
            (#"{"region":[1],"count":{"x":1}}"#, []), ("{}", []), ("[]", []),
        ])
    func fields(arguments: String, expected: [String]) throws {
        let headers = try Self.properties(Self.example)
        #expect(headers.fields(for: try Self.json(arguments)).map { "\($0.name): \($0.value)" } == expected)
        #expect(headers.fields(for: nil).isEmpty)
    }

    @Test(
        "a tool without annotations is a tool",
        arguments: [
            #"{"name":"t"}"#, #"{"name":"t","inputSchema":true}"#, #"{"name":"t","inputSchema":{"properties":[]}}"#,
            #"{"inputSchema":{"properties":{"a":{"enum":[{"x-mcp-header":""}],"const":{"x-mcp-header":1}}}}}"#,
            #"{"outputSchema":{"x-mcp-header":"A"},"x-mcp-header":"A"}"#, "7",
        ])
    func none(tool: String) throws {
        #expect(try #require(ParameterHeaders(tool: Self.json(tool))).isEmpty)
    }

    static let invalid: [(schema: String, problem: String)] = [
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":""}}}"#,
            "has an x-mcp-header at 'a' that is no name of a header"
        ),
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":"My Region"}}}"#,
            "has an x-mcp-header at 'a' that is no name of a header"
        ),
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":"A:B"}}}"#,
            "has an x-mcp-header at 'a' that is no name of a header"
        ),
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":"é"}}}"#,
            "has an x-mcp-header at 'a' that is no name of a header"
        ),
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":"a\r\nb"}}}"#,
            "has an x-mcp-header at 'a' that is no name of a header"
        ),
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":7}}}"#,
            "has an x-mcp-header at 'a' that is no name of a header"
        ),
        (
            #"{"properties":{"b":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}}}"#,
            "has x-mcp-header at 'b.a', which is neither a string nor an integer nor a boolean"
        ),
        (
            #"{"properties":{"a":{"type":["string"],"x-mcp-header":"A"}}}"#,
            "has x-mcp-header at 'a', which is neither a string nor an integer nor a boolean"
        ),
        (
            #"{"properties":{"a":{"x-mcp-header":"A"}}}"#,
            "has x-mcp-header at 'a', which is neither a string nor an integer nor a boolean"
        ),
        (
            #"{"properties":{"a":{"type":"string","x-mcp-header":"A"},"b":{"type":"string","x-mcp-header":"a"}}}"#,
            "has the x-mcp-header 'a' twice"
        ),
        (#"{"type":"string","x-mcp-header":"A"}"#, "has x-mcp-header at a place that no chain of properties leads to"),
    ]

    @Test("an annotation that is invalid makes the tool invalid", arguments: 0..<invalid.count)
    func refused(index: Int) throws {
        let tool = try Self.tool(Self.invalid[index].schema)
        #expect(ParameterHeaders(tool: tool) == nil)
        #expect(ParameterHeaders.problem(in: tool) == Self.invalid[index].problem)
    }

    @Test(
        "an annotation behind anything but properties is invalid",
        arguments: [
            #""items":A"#, #""allOf":[{},A]"#, #""anyOf":[A]"#, #""oneOf":[A]"#, #""not":A"#, #""if":A"#, #""then":A"#,
            #""else":A"#, #""$defs":{"x":A}"#, #""additionalProperties":A"#, #""patternProperties":{"x":A}"#,
            #""prefixItems":[A]"#, #""properties":{"l":{"type":"array","items":A}}"#,
            #""properties":{"l":{"anyOf":[{"properties":{"m":A}}]}}"#,
        ])
    func elsewhere(member: String) throws {
        let annotated = member.replacing("A", with: #"{"type":"string","x-mcp-header":"H"}"#)
        #expect(ParameterHeaders(tool: try Self.tool("{\(annotated)}")) == nil)
    }

    static let requests: [(arguments: String, headers: [String: [String]], mismatch: String?)] = [
        (#"{"region":"a","count":42}"#, ["mcp-param-region": ["a"], "mcp-param-count": ["42"]], nil),
        (#"{"region":"a","count":42}"#, ["mcp-param-region": ["=?base64?YQ==?="], "mcp-param-count": ["42.0"]], nil),
        (#"{"count":42.0}"#, ["mcp-param-count": ["42"]], nil),
        (#"{"count":1e400}"#, ["mcp-param-count": ["1e400"]], nil),
        (#"{"count":42}"#, ["mcp-param-count": ["4.2e1"]], "Mcp-Param-Count"),
        (#"{"count":9007199254740993}"#, ["mcp-param-count": ["9007199254740992"]], "Mcp-Param-Count"),
        (#"{"count":42}"#, ["mcp-param-count": ["042"]], "Mcp-Param-Count"),
        (#"{"count":42}"#, ["mcp-param-count": ["x"]], "Mcp-Param-Count"),
        (#"{"count":"42"}"#, ["mcp-param-count": ["42.0"]], "Mcp-Param-Count"),
        (#"{"region":"a"}"#, [:], "Mcp-Param-Region"),
        (#"{"region":"a"}"#, ["mcp-param-region": ["A"]], "Mcp-Param-Region"),
        (#"{"region":"a"}"#, ["mcp-param-region": ["a", "a"]], "Mcp-Param-Region"),
        (#"{"region":"a"}"#, ["mcp-param-region": ["=?base64?YQ?="]], "Mcp-Param-Region"),
        (#"{"region":null}"#, [:], nil),
        (#"{"region":null}"#, ["mcp-param-region": [""]], "Mcp-Param-Region"),
        ("{}", ["mcp-param-count": ["1"], "mcp-param-other": ["x"]], "Mcp-Param-Count"),
        ("{}", ["mcp-param-other": ["x"]], nil),
        (#"{"region":{}}"#, [:], nil),
        (#"{"deep":{"flag":true}}"#, ["mcp-param-flag": ["true"]], nil),
        (#"{"deep":{"flag":true}}"#, ["mcp-param-flag": ["True"]], "Mcp-Param-Flag"),
    ]

    @Test("the first header that does not hold is named", arguments: 0..<requests.count)
    func mismatches(index: Int) throws {
        let (arguments, fields, mismatch) = Self.requests[index]
        let headers = try Self.properties(Self.example)
        #expect(headers.mismatch(arguments: try Self.json(arguments)) { fields[$0] ?? [] } == mismatch)
    }

    @Test("what is sent holds for what is said")
    func agreement() throws {
        let headers = try Self.properties(Self.example)
        for arguments in [#"{"region":" \n","count":-12e3,"deep":{"flag":true}}"#, #"{"region":"","count":0.0}"#] {
            let arguments = try Self.json(arguments)
            let fields = headers.fields(for: arguments)
            let mismatch = headers.mismatch(arguments: arguments) { name in
                fields.filter { $0.name.lowercased() == name }.map(\.value)
            }
            #expect(mismatch == nil)
        }
    }
}
