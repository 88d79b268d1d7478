// SPDX-License-Identifier: Apache-2.0
import LodgeTestSupport
import Testing

/// The headers of a tool's parameters, as `lodge connect` learns them (2026-07-28).
@Suite("lodge connect: headers of tools", .serialized, .timeLimit(.minutes(1)))
struct ConnectToolHeadersTests {
    typealias Message = ModernMessages

    private static func tool(_ name: String, _ header: String, type: String = "string") -> String {
        #"{"name":"\#(name)","inputSchema":{"type":"object","properties":{"a":{"type":"\#(type)","x-mcp-header":"\#(header)"}}}}"#
    }

    @Test("annotated arguments are mirrored, and a tool that annotates wrongly is left out and warned about once")
    func learning() async throws {
        let listing = #""ttlMs":0,"tools":[\#(Self.tool("bad", "B", type: "number")),\#(Self.tool("good", "Of-A"))]"#
        try await ScriptedServer.with({ request, answer in
            answer.json(Message.result("1", request["Mcp-Method"] == "tools/list" ? listing : ""))
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                for _ in 0..<2 {
                    let answer = try await lodge.ask(Message.request("tools/list"))
                    #expect(answer == Message.result("1", #""ttlMs":0,"tools":[\#(Self.tool("good", "Of-A"))]"#))
                }
                await lodge.log.wait(for: "a tool of the server is left out")
                #expect(
                    lodge.log.lines(
                        with:
                            "a tool of the server is left out: it has x-mcp-header at 'a', which is neither a string nor an integer nor a boolean"
                    ).count == 1)
                for arguments in [#"{"a":"x"}"#, #"{"a":"ü"}"#, #"{"a":null}"#, "{}"] {
                    let echoed = try await lodge.ask(Message.call("good", arguments))
                    #expect(echoed == Message.result("1"))
                }
                let values = server.requests.suffix(4).map { $0["Mcp-Param-Of-A"] }
                #expect(values == ["x", "=?base64?w7w=?=", nil, nil])
            }
        }
    }

    @Test("a legacy list is passed on as it is") func legacyList() async throws {
        let list = #"{"jsonrpc":"2.0","id":1,"result":{"tools":[\#(Self.tool("bad", ""))]}}"#
        try await ScriptedServer.with(ConnectTests.server { _, answer in answer.json(list) }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                let passed = try await lodge.ask(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
                #expect(passed == list)
            }
        }
    }

    private static let mismatch = #"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"m"}}"#

    @Test(
        "a call whose headers do not fit is sent again with those of the tool as it is now", arguments: [true, false])
    func refresh(events: Bool) async throws {
        try await ScriptedServer.with({ request, answer in
            let page = request.body.contains(#""cursor":"c""#) ? 2 : 1
            let own = #""lodge-tools-1-\#(page)""#
            let body: String
            switch (request["Mcp-Method"], request["Mcp-Param-New"]) {
            case ("tools/list", _):
                body = Message.result(
                    own, page == 1 ? #""tools":[],"nextCursor":"c""# : #""tools":[\#(Self.tool("t", "New"))]"#)
            case (_, "x"): body = Message.result("1")
            default: return answer.respond(400, ["content-type": "application/json"], Self.mismatch)
            }
            guard events else { return answer.json(body) }
            answer.openStream()
            answer.event(body)
            answer.close()
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                let call = Message.call("t", #"{"a":"x"}"#)
                let mended = try await lodge.ask(call)
                #expect(mended == Message.result("1"))
                #expect(
                    server.requests.map { $0["Mcp-Method"] } == [
                        "tools/call", "tools/list", "tools/list", "tools/call",
                    ])
                #expect(server.requests.last?.body == call)
                #expect(server.requests[1]["MCP-Protocol-Version"] == "2026-07-28")
                // It is known from then on.
                let known = try await lodge.ask(call)
                #expect(known == Message.result("1"))
                #expect(server.requests.count == 5)
            }
        }
    }

    @Test("a mismatch that no header of the tool mends is passed on, after one look") func hopeless() async throws {
        try await ScriptedServer.with({ request, answer in
            if request["Mcp-Method"] == "tools/list" {
                let own = #""lodge-tools-\#(request.number == 2 ? 1 : 2)-1""#
                return answer.json(Message.result(own, #""tools":[\#(Self.tool("t", "New"))]"#))
            }
            answer.respond(400, ["content-type": "application/json"], Self.mismatch)
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                let first = try await lodge.ask(Message.call("t", #"{"a":"x"}"#))
                #expect(first == Self.mismatch)
                #expect(server.requests.map { $0["Mcp-Method"] } == ["tools/call", "tools/list", "tools/call"])
                let second = try await lodge.ask(Message.call("t", #"{"a":"x"}"#))
                #expect(second == Self.mismatch)
                #expect(server.requests.map { $0["Mcp-Method"] }.suffix(2) == ["tools/call", "tools/list"])
            }
        }
    }
}
