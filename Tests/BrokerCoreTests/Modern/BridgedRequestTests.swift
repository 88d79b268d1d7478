// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import NIOCore
import Testing

@testable import BrokerCore

@Suite("Requests of modern clients at a legacy server")
struct BridgedRequestTests {
    private func answered(
        _ request: String, _ answer: (String) -> String, _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> (sink: RecordingSink, sent: [String]) {
        let clients = try ModernClients(adjust)
        let server = try clients.start()
        let before = server.connection.sent.count
        let sink = try clients.send(request)
        let sent = Array(server.connection.sent.dropFirst(before))
        if !sent.isEmpty { try server.serve(answer(server.ticket)) }
        #expect(server.isQuiet)
        return (sink, sent)
    }

    @Test("a request arrives without the metadata of its era, every other byte as it came")
    func forwarded() throws {
        let (sink, sent) = try answered(
            #"{ "id":"c" ,"x":1.0,"method":"tools\/call","params":{"name":"t", "_meta" :{ "a":1.0, "#
                + #""io.modelcontextprotocol/protocolVersion":"2026-07-28","progress\u0054oken" : "p","#
                + #""io.modelcontextprotocol\u002fclientCapabilities":{},"io.modelcontextprotocol/clientInfo":{},"#
                + #""b":{"io.modelcontextprotocol/keep":1}},"# + "\n" + #""arguments":{"é": "\u00e9"}}}"#,
            { Sample.answer(id: $0) })
        #expect(
            sent == [
                #"{ "id":3 ,"x":1.0,"method":"tools\/call","params":{"name":"t", "_meta" :"#
                    + #"{"a":1.0,"progress\u0054oken" : 3,"b":{"io.modelcontextprotocol/keep":1}}, "#
                    + #""arguments":{"é": "\u00e9"}}}"#
            ])
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":"c","result":{\#(Modern.complete),\#(Modern.serverInfo),"content":[]}}"#
            ])
    }

    @Test(
        "a result gets what it lacks, and nothing twice",
        arguments: [
            ("{}", #"{\#(Modern.complete),\#(Modern.serverInfo)}"#),
            ("{ }", #"{\#(Modern.complete),\#(Modern.serverInfo) }"#),
            (
                #"{"a":1.0,"_meta":{"b":2}}"#,
                #"{\#(Modern.complete),"a":1.0,"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake","version":"1"},"b":2}}"#
            ),
            (
                #"{"_meta":{}}"#,
                #"{\#(Modern.complete),\#(Modern.serverInfo)}"#
            ),
            (#"{"resultType":"complete"}"#, #"{\#(Modern.serverInfo),"resultType":"complete"}"#),
            (#"{"resultType":"task"}"#, #"{\#(Modern.serverInfo),"resultType":"complete"}"#),
            (#"{"resultType":7,"c":1}"#, #"{\#(Modern.serverInfo),"resultType":"complete","c":1}"#),
        ])
    func result(written: String, expected: String) throws {
        let (sink, _) = try answered(Modern.call("1")) { Sample.answer(id: $0, written) }
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"result":\#(expected)}"#])
    }

    @Test(
        "a cacheable result says for how long and for whom, where it does not say so itself",
        arguments: [
            ("tools/list", ""), ("prompts/list", ""), ("resources/list", ""), ("resources/templates/list", ""),
            ("resources/read", #""uri":"a:1","#),
        ])
    func cacheable(method: String, params: String) throws {
        let (sink, _) = try answered(Modern.request("1", method, params)) { Sample.answer(id: $0, #"{"x":[]}"#) }
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"result":{\#(Modern.complete),\#(Modern.serverInfo),"ttlMs":0,"cacheScope":"private","x":[]}}"#
            ])
        let (own, _) = try answered(Modern.request("1", method, params)) {
            Sample.answer(id: $0, #"{"ttlMs":5,"cacheScope":"public"}"#)
        }
        #expect(
            own.bodies == [
                #"{"jsonrpc":"2.0","id":1,"result":{\#(Modern.complete),\#(Modern.serverInfo),"ttlMs":5,"cacheScope":"public"}}"#
            ])
    }

    @Test("a big result stays in slices of what came, to the same bytes")
    func big() throws {
        let text = String(repeating: "x", count: MessageBytes.copyLimit)
        let (sink, _) = try answered(Modern.call("1")) { Sample.answer(id: $0, #"{"t":"\#(text)"}"#) }
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"result":{\#(Modern.complete),\#(Modern.serverInfo),"t":"\#(text)"}}"#
            ])
        let bytes = try #require(sink.answers.first?.bytes)
        #expect(!bytes.tail.isEmpty)
        #expect(bytes.head.readableBytes < MessageBytes.copyLimit)
    }

    @Test("a result that is no object is a fault of the server")
    func noObject() throws {
        let (sink, _) = try answered(Modern.call("1")) { Sample.answer(id: $0, "[]") }
        #expect(sink.failedWith == -32603)
        #expect(sink.error?["message"] == "server 'files' answered with a result that is no object")
        #expect(sink.error?["data"]?["reason"] == "unusable-answer")
    }

    @Test(
        "errors of the older era get the codes of this one",
        arguments: [
            (
                #"{"code":-32002,"message":"m","data":{"uri":"a:1"}}"#, -32602,
                #"{"code":-32602,"message":"m","data":{"uri":"a:1"}}"#
            ),
            (#"{"code":-32601,"message":"m"}"#, -32601, #"{"code":-32601,"message":"m"}"#),
            (#"{"message":"m","code":5}"#, 5, #"{"message":"m","code":5}"#),
            (#"{"code":-32042,"message":"m"}"#, -32603, #"{"code":-32603,"message":"m"}"#),
        ])
    func errors(written: String, code: Int, expected: String) throws {
        let (sink, _) = try answered(Modern.call("1")) { #"{"jsonrpc":"2.0","id":\#($0),"error":\#(written)}"# }
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"error":\#(expected)}"#])
        #expect(sink.failedWith == code)
    }

    private static let visit =
        #""error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://a/","message":"go"},{"elicitationId":"e","url":"https://b/"}]}}"#

    @Test("a URL that has to be visited first is asked for where the client can, else named as lacking")
    func visits() throws {
        let (able, _) = try answered(Modern.call("1")) { #"{"jsonrpc":"2.0","id":\#($0),\#(Self.visit)}"# }
        #expect(able.result?["resultType"] == "input_required")
        #expect(able.result?["requestState"] == nil)
        #expect(
            able.result?["inputRequests"]
                == [
                    "e": [
                        "method": "elicitation/create",
                        "params": ["mode": "url", "url": "https://a/", "message": "go"],
                    ],
                    "url-2": ["method": "elicitation/create", "params": ["mode": "url", "url": "https://b/"]],
                ])
        let (unable, _) = try answered(Modern.call("1", capabilities: #"{"elicitation":{}}"#)) {
            #"{"jsonrpc":"2.0","id":\#($0),\#(Self.visit)}"#
        }
        #expect(unable.failedWith == -32021)
        #expect(unable.error?["data"] == ["requiredCapabilities": ["elicitation": ["url": [:]]]])
        let (list, _) = try answered(Modern.request("1", "tools/list")) {
            #"{"jsonrpc":"2.0","id":\#($0),\#(Self.visit)}"#
        }
        #expect(list.failedWith == -32603)
    }

    @Test(
        "what this era does not have is not asked of the server",
        arguments: [
            "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/list",
            "tasks/result", "p\\u0069ng",
        ])
    func removed(method: String) throws {
        let (sink, sent) = try answered(Modern.request(#""r""#, method)) { Sample.answer(id: $0) }
        #expect(sent.isEmpty)
        #expect(sink.failedWith == -32601)
        let name = method.replacing("\\u0069", with: "i")
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":"r","error":{"code":-32601,"message":"method '\#(name)' is not one of revision 2026-07-28"}}"#
            ])
    }

    @Test("tasks of neither era reach a legacy server", arguments: ["tasks/get", "tasks/update", "tasks/cancel"])
    func tasks(method: String) throws {
        let (sink, sent) = try answered(Modern.request("1", method)) { Sample.answer(id: $0) }
        #expect(sent.isEmpty)
        #expect(sink.error?["message"]?.string == "method '\(method)' is not one of this server")
        let (call, called) = try answered(Modern.request("1", "tools/call", #""name":"t","task":{},"#)) {
            Sample.answer(id: $0)
        }
        #expect(called.isEmpty)
        #expect(call.error?["message"] == "params.task is not one of revision 2026-07-28; call without it")
    }

    @Test("what can be read in two ways is refused")
    func ambiguous() throws {
        let rules = ToolRules(denied: [try ToolPattern.parse("u")])
        let policy = ToolPolicy(server: try ServerName("files"), rules: rules)
        let request = Modern.request("1", "tools/call", #""name":"t","Name":"u","#)
        let (sink, sent) = try answered(request, { Sample.answer(id: $0) }) { $0.multiplexer.tools = policy }
        #expect(sent.isEmpty)
        #expect(sink.failedWith == -32600)
    }

    @Test("what the policy does not list cannot be called, and renames hold both ways")
    func policy() throws {
        let rules = ToolRules(
            allowed: [try ToolPattern.parse("git_*")], denied: [try ToolPattern.parse("git_rm")],
            renamed: ["git_log": "history"])
        let policy = ToolPolicy(server: try ServerName("files"), rules: rules)
        let clients = try ModernClients { $0.multiplexer.tools = policy }
        let server = try clients.start()
        let list = try clients.send(Modern.request("1", "tools/list"))
        try server.serve(
            Sample.answer(id: server.ticket, #"{"tools":[{"name":"git_log"},{"name":"git_rm"},{"name":"x"}]}"#))
        #expect(list.result?["tools"] == [["name": "history"]])
        #expect(list.result?["ttlMs"] == 0)
        for tool in ["git_log", "git_rm", "x", ""] {
            let before = server.connection.sent.count
            let sink = try clients.send(Modern.call("2", tool: tool))
            #expect(sink.error?["message"]?.string == "unknown tool: \(tool)")
            #expect(sink.failedWith == -32602)
            #expect(server.connection.sent.count == before)
        }
        try clients.send(Modern.call("3", tool: "history"))
        #expect(
            server.connection.sent.last
                == #"{"jsonrpc":"2.0","id":\#(server.ticket),"method":"tools/call","params":{"name":"git_log","arguments":{},"_meta":{}}}"#
        )
    }

    @Test(
        "metadata that cannot be taken is answered under the request's id",
        arguments: [
            (#"{"io.modelcontextprotocol/protocolVersion":7}"#, -32602),
            (#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#, -32602),
            (#"{"io.modelcontextprotocol/protocolVersion":"2030-01-01"}"#, -32022),
            (Modern.meta("{}", #","io.modelcontextprotocol/logLevel":"loud""#), -32602),
            (Modern.meta("[]"), -32602),
        ])
    func badMetadata(meta: String, code: Int) throws {
        let (sink, sent) = try answered(
            #"{"jsonrpc":"2.0","id":"m","method":"tools/list","params":{"_meta":\#(meta)}}"#
        ) { Sample.answer(id: $0) }
        #expect(sent.isEmpty)
        #expect(sink.failedWith == code)
        #expect(sink.bodies.first?.hasPrefix(#"{"jsonrpc":"2.0","id":"m","error":{"code":\#(code)"#) == true)
    }
}
