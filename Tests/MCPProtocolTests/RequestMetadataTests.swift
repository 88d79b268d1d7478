// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("Metadata of modern requests")
struct RequestMetadataTests {
    private func read(_ params: String) throws -> RequestMetadata {
        let bytes = Array(#"{"id":1,"method":"m","params":\#(params)}"#.utf8)
        return try RequestMetadata(try MessageScanner.scan(bytes), in: bytes.span)
    }

    private static let version = #""io.modelcontextprotocol/protocolVersion":"2026-07-28""#
    private static let capabilities = #""io.modelcontextprotocol/clientCapabilities":{"roots":{}}"#

    @Test("version, capabilities and level are read, however they are spelled; nothing else is needed")
    func whole() throws {
        let metadata = try read(
            #"{"_meta":{"io.modelcontextprotocol\/protocolVersion":"2026\u002d07-28",\#(Self.capabilities),"#
                + #""io.modelcontextprotocol/logLevel":"w\u0061rning"}}"#)
        #expect(metadata.version == "2026-07-28")
        #expect(metadata.capabilities == .roots)
        #expect(metadata.logLevel == .warning)
        #expect(try read(#"{"_meta":{\#(Self.version),\#(Self.capabilities)}}"#).logLevel == nil)
    }

    @Test(
        "what is missing or of another form is named",
        arguments: [
            ("{}", RequestMetadata.Problem.noVersion), (#"{"_meta":{}}"#, .noVersion), (#"{"_meta":[]}"#, .noVersion),
            (#"{"_meta":{"io.modelcontextprotocol/protocolVersion":1}}"#, .noVersion),
            (#"{"_meta":{"io.modelcontextprotocol/protocolVersion":""}}"#, .unsupportedVersion("")),
            (#"{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25"}}"#, .unsupportedVersion("2025-11-25")),
            (#"{"_meta":{\#(version)}}"#, .noCapabilities),
            (#"{"_meta":{\#(version),"io.modelcontextprotocol/clientCapabilities":null}}"#, .noCapabilities),
            (#"{"_meta":{\#(version),\#(capabilities),"io.modelcontextprotocol/logLevel":"loud"}}"#, .unknownLogLevel),
            (#"{"_meta":{\#(version),\#(capabilities),"io.modelcontextprotocol/logLevel":null}}"#, .unknownLogLevel),
        ])
    func problems(params: String, expected: RequestMetadata.Problem) {
        #expect(throws: expected) { try read(params) }
    }

    @Test("an unsupported version is answered with those that are")
    func unsupported() {
        let problem = RequestMetadata.Problem.unsupportedVersion("1")
        #expect(problem.code == -32022)
        #expect(problem.message == "protocol version '1' is not supported; use 2026-07-28")
        #expect(problem.data == ["supported": ["2026-07-28"], "requested": "1"])
        #expect(RequestMetadata.Problem.noCapabilities.code == -32602)
        #expect(RequestMetadata.Problem.noCapabilities.data == nil)
    }

    @Test(
        "the status of a response follows its error",
        arguments: [
            (-32601, 404), (-32700, 400), (-32600, 400), (-32602, 400), (-32020, 400), (-32021, 400), (-32022, 400),
            (-32603, 200), (-32000, 200), (5, 200),
        ])
    func status(code: Int, expected: Int) { #expect(ErrorCode.status(of: code) == expected) }
}
