// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("Legacy requests for modern servers")
struct EnvelopedRequestTests {
    static let client = ClientDeclaration(name: "a", version: "1")
    static let members =
        #""io.modelcontextprotocol/protocolVersion":"2026-07-28","#
        + #""io.modelcontextprotocol/clientInfo":{"name":"a","version":"1"},"#
        + #""io.modelcontextprotocol/clientCapabilities":{}"#

    private func enveloped(_ json: String, level: LogLevel? = nil) throws -> String? {
        let bytes = Array(json.utf8)
        let envelope = try MessageScanner.scan(bytes.span)
        let change = EnvelopedRequest(
            envelope, in: bytes.span, declaration: Self.client, logLevel: level, token: RawID(7))
        return change.map { change in
            let changed = bytes[..<change.place.lowerBound] + change.replacement + bytes[change.place.upperBound...]
            return String(decoding: changed, as: UTF8.self)
        }
    }

    @Test(
        "the metadata goes in wherever there is a place for it, and every other byte stays",
        arguments: [
            (#"{"id":1,"method":"tools/list"}"#, #"{"id":1,"method":"tools/list","params":{"_meta":{#}}}"#),
            (#"{"id":1,"method":"m","params":{}}"#, #"{"id":1,"method":"m","params":{"_meta":{#}}}"#),
            (#"{"id":1,"params":{ },"method":"m"}"#, #"{"id":1,"params":{"_meta":{#} },"method":"m"}"#),
            (
                #"{"id":1,"method":"m","params":{"a":1.0, "b" :"\u0041"}}"#,
                #"{"id":1,"method":"m","params":{"_meta":{#},"a":1.0, "b" :"\u0041"}}"#
            ),
            (
                #"{"id":1,"method":"m","params":{"_meta":{"x":[1, 2],"progressToken":"t"},"a":1}}"#,
                #"{"id":1,"method":"m","params":{"_meta":{#,"x":[1, 2],"progressToken":7},"a":1}}"#
            ),
            (#"{"id":1,"method":"m","params":{"_meta":{}}}"#, #"{"id":1,"method":"m","params":{"_meta":{#}}}"#),
        ])
    func places(legacy: String, expected: String) throws {
        #expect(try enveloped(legacy) == expected.replacingFirst("{#", with: "{" + Self.members))
    }

    @Test("what a client wrote under the reserved names is Lodge's to write, other names of the protocol stay")
    func reserved() throws {
        let json =
            #"{"id":1,"method":"m","params":{"_meta":{"io.modelcontextprotocol/clientInfo":1,"#
            + #""io.modelcontextprotocol/\u006cogLevel":"debug","io.modelcontextprotocol/related-task":2}}}"#
        #expect(
            try enveloped(json)
                == #"{"id":1,"method":"m","params":{"_meta":{"# + Self.members
                + #","io.modelcontextprotocol/related-task":2}}}"#)
    }

    @Test("the level of the session goes with each request")
    func level() throws {
        let written = try enveloped(#"{"id":1,"method":"m"}"#, level: .warning)
        #expect(written?.contains(Self.members + #","io.modelcontextprotocol/logLevel":"warning"}"#) == true)
    }

    @Test("parameters by position have no place for metadata")
    func positional() throws {
        #expect(try enveloped(#"{"id":1,"method":"m","params":[1]}"#) == nil)
    }

    @Test("a request that is sent again has the answers and the exact state, and nothing of an older round")
    func again() throws {
        let json =
            #"{"id":1,"method":"tools/call","params":{"name":"x","inputResponses":{"old":1},"arguments":{"n":1.0}}}"#
        let bytes = Array(json.utf8)
        let params = EnvelopedRequest.parameters(
            of: try MessageScanner.scan(bytes.span), in: bytes.span, declaration: Self.client, logLevel: nil,
            token: RawID(9), toolName: Array(#""own""#.utf8),
            answers: [("a\"", Array(#"{"action":"accept"}"#.utf8)), ("b", Array("{}".utf8))],
            state: Array(#""s\u0041""#.utf8))
        #expect(
            String(decoding: params, as: UTF8.self) == #"{"_meta":{"# + Self.members
                + #"},"name":"own","arguments":{"n":1.0},"#
                + #""inputResponses":{"a\"":{"action":"accept"},"b":{}},"requestState":"s\u0041"}"#)
    }

    @Test("a client's declaration is what it said, less what the modern era has no word for")
    func declaration() throws {
        let params = try JSONValue.parse(
            Array(
                (#"{"protocolVersion":"2025-11-25","capabilities":{"tasks":{},"roots":{"listChanged":true},"#
                    + #""elicitation":{"url":{}},"experimental":{"x":1}},"clientInfo":{"name":"c","version":"2"}}"#)
                    .utf8))
        let declaration = ClientDeclaration(initialize: params)
        #expect(
            String(decoding: declaration.members, as: UTF8.self)
                == #""io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientInfo":{"name":"c","version":"2"},"#
                + #""io.modelcontextprotocol/clientCapabilities":{"roots":{},"elicitation":{"url":{}},"#
                + #""experimental":{"x":1}}"#)
        #expect(declaration.capabilities == [.roots, .elicitationURL])
    }

    @Test("a client that says very much of itself is not repeated with every request")
    func bounded() {
        let long = JSONValue.string(String(repeating: "x", count: ClientDeclaration.limit))
        let declaration = ClientDeclaration(initialize: [
            "capabilities": ["sampling": [:], "experimental": ["long": long]],
            "clientInfo": ["name": "c", "version": "2", "title": long],
        ])
        #expect(
            String(decoding: declaration.members, as: UTF8.self)
                == #""io.modelcontextprotocol/protocolVersion":"2026-07-28","#
                + #""io.modelcontextprotocol/clientInfo":{"name":"c","version":"2"},"#
                + #""io.modelcontextprotocol/clientCapabilities":{"sampling":{}}"#)
    }
}

extension String {
    fileprivate func replacingFirst(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return replacingCharacters(in: range, other)
    }

    private func replacingCharacters(in range: Range<String.Index>, _ other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
