// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import NIOCore
import Testing

@testable import Upstreams

@Suite("the modern side of a conversation") struct ModernConversationTests {
    private var conversation = RemoteConversation()

    private struct Unexpected: Error { let line: String }

    private static let meta =
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

    private static func request(_ method: String, _ params: String = "", id: String = "1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(params.isEmpty ? "" : params + ",")\#(meta)}}"#
    }

    private mutating func modern(_ line: String) throws -> ModernCall {
        guard case .modern(let call) = conversation.take(ByteBuffer(string: line)) else { throw Unexpected(line: line) }
        return call
    }

    private mutating func cancelled(_ line: String) throws -> [Int] {
        guard case .cancel(let calls) = conversation.take(ByteBuffer(string: line)) else {
            throw Unexpected(line: line)
        }
        return calls.map(\.number).sorted()
    }

    private mutating func receive(_ text: String, for call: ModernCall) throws -> String {
        let bytes = ByteBuffer(string: text)
        switch conversation.received(bytes, try MessageScanner.scan(bytes.readableBytesUInt8Span), for: call) {
        case nil: return "nothing"
        case .pass(let line): return "pass \(String(buffer: line))"
        case .answer(let line, let code): return "answer \(String(buffer: line)) \(code ?? 0)"
        case .end: return "end"
        case .drop(let reason): return "drop \(reason)"
        }
    }

    static let mirrored: [(method: String, params: String, fields: [String])] = [
        ("server/discover", "", ["Mcp-Method: server/discover"]),
        ("tools/call", #""name":"a b""#, ["Mcp-Method: tools/call", "Mcp-Name: a b"]),
        ("tools/call", #""name":7"#, ["Mcp-Method: tools/call"]),
        ("prompts/get", #""name":"ü""#, ["Mcp-Method: prompts/get", "Mcp-Name: =?base64?w7w=?="]),
        (
            "resources/read", #""uri":"file:///x\n""#,
            ["Mcp-Method: resources/read", "Mcp-Name: =?base64?ZmlsZTovLy94Cg==?="]
        ),
        ("tasks/get", #""taskId":"t-1""#, ["Mcp-Method: tasks/get", "Mcp-Name: t-1"]),
        ("resources/list", #""name":"x""#, ["Mcp-Method: resources/list"]),
    ]

    @Test("method and name are mirrored in headers", arguments: 0..<mirrored.count)
    mutating func mirrors(index: Int) throws {
        let (method, params, fields) = Self.mirrored[index]
        let call = try modern(Self.request(method, params))
        #expect(call.fields.map { "\($0.name): \($0.value)" } == ["MCP-Protocol-Version: 2026-07-28"] + fields)
        #expect(call.fields.allSatisfy { $0.isValid })
    }

    static let refused: [(line: String, answer: String)] = [
        (
            #"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":7}}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"the protocol version in _meta is none that a header can carry; name a revision of MCP"}}"#
        ),
        (
            #"{"jsonrpc":"2.0","id":1,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"a\r\nb: c"}}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"the protocol version in _meta is none that a header can carry; name a revision of MCP"}}"#
        ),
        (
            request("x\\r\\ny: z"),
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the method is none that a header can carry; use printable ASCII"}}"#
        ),
    ]

    @Test("what no header can carry is answered here", arguments: 0..<refused.count)
    mutating func unsendable(index: Int) throws {
        let (line, expected) = Self.refused[index]
        guard case .reply(let answer) = conversation.take(ByteBuffer(string: line)) else {
            throw Unexpected(line: line)
        }
        #expect(String(buffer: answer) == expected)
        #expect(!conversation.hasOpenCalls)
    }

    @Test("a call is answered once, under its own id, and by its own response alone") mutating func answers() throws {
        let call = try modern(Self.request("tools/list"))
        #expect(conversation.hasOpenCalls)
        #expect(try receive(#"{"jsonrpc":"2.0","id":2,"result":{}}"#, for: call) == "drop it answers another call")
        #expect(
            try receive(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, for: call)
                == "drop a server asks nothing in this era")
        #expect(try receive("[]", for: call) == "drop there are no batches in this era")
        #expect(try receive("7", for: call) == "drop it is no JSON-RPC message")
        #expect(
            try receive(#"{"jsonrpc":"2.0","id":null,"error":{"code":-32022,"message":"m"}}"#, for: call)
                == #"answer {"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"m"}} -32022"#)
        #expect(
            try receive(#"{"jsonrpc":"2.0","method":"notifications/message"}"#, for: call)
                == #"pass {"jsonrpc":"2.0","method":"notifications/message"}"#)
        let answer = "{\"jsonrpc\":\"2.0\",\n\"id\":1,\"result\":{ }}"
        #expect(try receive(answer, for: call) == #"answer {"jsonrpc":"2.0", "id":1,"result":{ }} 0"#)
        let settled = (conversation.settle(call), conversation.settle(call))
        #expect(settled == (true, false))
        #expect(!conversation.hasOpenCalls)
        #expect(conversation.outcome == .succeeded)
        #expect(try receive(answer, for: call) == "nothing")
    }

    @Test("who cancels hears nothing more, and nothing is sent") mutating func cancellation() throws {
        let first = try modern(Self.request("tools/call", #""name":"a""#, id: "1"))
        let second = try modern(Self.request("subscriptions/listen", id: "\"1\""))
        let cancel = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
        #expect(try cancelled(cancel) == [first.number])
        #expect(try receive(#"{"jsonrpc":"2.0","id":1,"result":{}}"#, for: first) == "nothing")
        let told = conversation.fail(first, .stopped)
        #expect(told == nil)
        #expect(conversation.modern.isOpen(second))
        #expect(!conversation.hasOpenCalls, "nobody waits for the end of a subscription")
        #expect(try cancelled(cancel) == [], "an answer may have crossed it")
        #expect(try cancelled(#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#) == [])
    }

    @Test("a cancellation belongs to the era of its call") mutating func cancellationByEra() throws {
        guard case .post(let legacy) = conversation.take(ByteBuffer(string: #"{"jsonrpc":"2.0","id":1,"method":"x"}"#))
        else { throw Unexpected(line: "x") }
        let modern = try modern(Self.request("tools/list"))
        let plain = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
        guard case .post = conversation.take(ByteBuffer(string: plain)) else { throw Unexpected(line: plain) }
        #expect(!conversation.isOpen(legacy))
        #expect(conversation.modern.isOpen(modern))
        let enveloped =
            #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,\#(Self.meta)}}"#
        #expect(try cancelled(enveloped) == [modern.number])
        _ = conversation.take(ByteBuffer(string: #"{"jsonrpc":"2.0","id":0,"method":"initialize"}"#))
        let unknown = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":9}}"#
        guard case .post = conversation.take(ByteBuffer(string: unknown)) else { throw Unexpected(line: unknown) }
    }

    @Test("a subscription also ends by the server's word") mutating func subscriptionEnd() throws {
        let call = try modern(Self.request("subscriptions/listen", id: "\"s\""))
        let other = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
        #expect(try receive(other, for: call) == "pass " + other)
        #expect(
            try receive(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"s"}}"#, for: call)
                == "end")
        let failed = conversation.fail(call, .subscriptionBroken)
        #expect(
            failed.map { String(buffer: $0) }
                == #"{"jsonrpc":"2.0","id":"s","error":{"code":-32000,"message":"the subscription's event stream ended without its result","data":{"reason":"stream-broken","hint":"send subscriptions/listen anew; what happened meanwhile is not told"}}}"#
        )
    }

    @Test("the eras know nothing of each other") mutating func eras() throws {
        let call = try modern(Self.request("server/discover", id: "0"))
        _ = conversation.fail(call, .refused(400))
        #expect(conversation.outcome == .failed)
        guard
            case .post(let post) = conversation.take(
                ByteBuffer(string: #"{"jsonrpc":"2.0","id":0,"method":"initialize"}"#))
        else { throw Unexpected(line: "initialize") }
        conversation.began("s", by: post)
        let again = try modern(Self.request("server/discover", id: "0"))
        let answer = try receive(#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"x"}}"#, for: again)
        #expect(answer.hasPrefix("answer"))
        let isSettled = conversation.settle(again)
        #expect(isSettled)
        #expect(conversation.isOpen(post))
        #expect((conversation.session, conversation.version, conversation.generation) == ("s", nil, 0))
        let failed = conversation.fail(post, .broken)
        #expect(failed.count == 1)
    }
}
