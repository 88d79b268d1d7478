// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import MCPProtocol
import NIOCore
import Testing

@testable import Upstreams

@Suite("a page of tools") struct ToolListingTests {
    private static let good =
        #"{"name":"good","inputSchema":{"type":"object","properties":{"a":{"type":"string","x-mcp-header":"A"}}}}"#
    private static let bad = #"{"name":"bad","inputSchema":{"properties":{"a":{"type":"number","x-mcp-header":"A"}}}}"#
    private static let plain = #"{ "name" : "plain" , "x" : 1e400 }"#

    private static func list(_ tools: String, _ rest: String = "") -> ByteBuffer {
        ByteBuffer(string: #"{"id": 1.0,"result":{"ttlMs":0,"tools": [\#(tools)]\#(rest)},"jsonrpc":"2.0"}"#)
    }

    @Test("tools that are sound stay as they came")
    func sound() throws {
        let message = Self.list(" \(Self.good) , \(Self.plain)", #","nextCursor":"ü\n""#.replacing("\n", with: "\\n"))
        let listing = try #require(ToolListing(message))
        #expect(listing.message == message)
        #expect(listing.dropped.isEmpty)
        #expect(listing.headers["good"]?.isEmpty == false)
        #expect(listing.headers["plain"]?.isEmpty == true)
        #expect(listing.next == Array(#""ü\n""#.utf8))
    }

    @Test("a tool with an invalid annotation is left out, and nothing else is touched")
    func dropped() throws {
        let problem = "has x-mcp-header at 'a', which is neither a string nor an integer nor a boolean"
        for (tools, left) in [
            ("\(Self.bad), \(Self.good) ,\(Self.plain)", "\(Self.good),\(Self.plain)"),
            ("\(Self.good),\(Self.bad)", Self.good), (Self.bad, ""),
        ] {
            let listing = try #require(ToolListing(Self.list(tools, #", "z":[ ]"#)))
            #expect(listing.message == Self.list(left, #", "z":[ ]"#))
            #expect(listing.dropped == [.init(name: "bad", problem: problem)])
            #expect(listing.headers["bad"] == nil)
        }
    }

    @Test("a tool that is too deep to be read is left out")
    func deep() throws {
        let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
        let listing = try #require(ToolListing(Self.list(#"{"name":"deep","x":\#(deep)},\#(Self.plain)"#)))
        #expect(listing.message == Self.list(Self.plain))
        #expect(listing.dropped == [.init(name: "", problem: "is nested too deep to be read")])
    }

    @Test(
        "what is no list of tools is none",
        arguments: [
            #"{"id":1,"error":{}}"#, #"{"id":1,"result":{}}"#, #"{"id":1,"result":{"tools":{}}}"#,
            #"{"id":1,"result":[]}"#,
            #"{"id":1,"result":{"tools":[],"tools":[]}}"#,
        ])
    func none(message: String) { #expect(ToolListing(ByteBuffer(string: message)) == nil) }

    @Test("what was learnt decides a call's headers, and each problem is told once")
    func learning() throws {
        var calls = ModernCalls()
        let bytes = ByteBuffer(
            string:
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"good","arguments":{"a":"é"},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/logLevel":"debug","io.modelcontextprotocol/clientCapabilities":{"x":1e400},"progressToken":7}}}"#
        )
        let call = try calls.enter(bytes, MessageScanner.scan(bytes.readableBytesUInt8Span))
        #expect(calls.fields(of: call) == call.fields)
        let listing = try #require(ToolListing(Self.list("\(Self.good),\(Self.bad)")))
        let told = (calls.learn(listing).map(\.name), calls.learn(listing).map(\.name))
        #expect(told == (["bad"], []))
        #expect(calls.fields(of: call) == call.fields + [HTTPField("Mcp-Param-A", "=?base64?w6k=?=")])
        _ = calls.learn(try #require(ToolListing(Self.list(#"{"name":"good"}"#))))
        #expect(calls.fields(of: call) == call.fields)

        let request = try #require(ToolListRequest(for: call, page: 2, cursor: Array(#""c""#.utf8)))
        #expect(
            String(buffer: request.bytes)
                == #"{"jsonrpc":"2.0","id":"lodge-tools-1-2","method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{"x":1e400}},"cursor":"c"}}"#
        )
        #expect(
            request.fields == [HTTPField("MCP-Protocol-Version", "2026-07-28"), HTTPField("Mcp-Method", "tools/list")])
    }
}
