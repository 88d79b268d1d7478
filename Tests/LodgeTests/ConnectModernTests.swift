// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import LodgeTestSupport
import Synchronization
import Testing

/// `lodge connect` as a client of the modern era (2026-07-28), in front of servers that do what their script says.
@Suite("lodge connect: the modern era", .serialized, .timeLimit(.minutes(1)))
struct ConnectModernTests {
    typealias Message = ModernMessages

    private static let broken =
        #""error":{"code":-32000,"message":"the subscription's event stream ended without its result","data":{"reason":"stream-broken","hint":"send subscriptions/listen anew; what happened meanwhile is not told"}}}"#

    @Test("each request says in headers what it is, and knows no session") func headers() async throws {
        let lines: [(line: String, name: String?)] = [
            (Message.request("server/discover"), nil), (Message.call("a b"), "a b"),
            (Message.request("resources/read", #""uri":"file:///ü""#), "=?base64?ZmlsZTovLy/DvA==?="),
            (Message.request("prompts/get", #""name":" x""#), "=?base64?IHg=?="),
            (Message.request("tasks/get", #""taskId":"7""#), "7"),
        ]
        try await ScriptedServer.with({ request, answer in
            answer.json(Message.result("1"), ["mcp-session-id": "none of this era"])
        }) { server in
            try await ConnectProcess.with(server.url + "/mcp", ["--header", "X-One: 1"]) { lodge in
                for (line, _) in lines { #expect(try await lodge.ask(line) == Message.result("1")) }
                try lodge.say(
                    #"{"jsonrpc":"2.0","method":"notifications/own","params":{\#(Message.meta)}}"#)
                #expect(await eventually { server.requests.count == lines.count + 1 })
            }
            let requests = server.requests
            #expect(requests.map(\.method) == Array(repeating: "POST", count: lines.count + 1))
            #expect(requests.prefix(lines.count).map(\.body) == lines.map(\.line))
            #expect(requests.prefix(lines.count).map { $0["Mcp-Name"] } == lines.map(\.name))
            #expect(
                requests.map { $0["Mcp-Method"] } == [
                    "server/discover", "tools/call", "resources/read", "prompts/get", "tasks/get", "notifications/own",
                ])
            #expect(
                requests.allSatisfy {
                    $0["MCP-Protocol-Version"] == "2026-07-28" && $0["Mcp-Session-Id"] == nil && $0["X-One"] == "1"
                        && $0["Accept"] == "application/json, text/event-stream"
                        && $0["Content-Type"] == "application/json"
                })
        }
    }

    static let legacyOnly: [(status: Int, type: String, body: String, code: Int)] = [
        (400, "text/plain", "no session", -32000), (404, "text/html", "<html>", -32000),
        (405, "text/plain", "", -32000),
        (
            400, "application/json", #"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"m"}}"#,
            -32600
        ),
        (404, "application/json", #"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"m"}}"#, -32001),
        (200, "application/json", #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}"#, -32601),
    ]

    @Test("a server that is legacy only refuses the probe, and then begins a session", arguments: 0..<legacyOnly.count)
    func fallback(index: Int) async throws {
        let (status, type, body, code) = Self.legacyOnly[index]
        let script = ConnectTests.server { request, answer in
            if request["Mcp-Method"] != nil { return answer.respond(status, ["content-type": type], body) }
            answer.json(#"{"jsonrpc":"2.0","id":2,"result":{}}"#)
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                let refusal = try await lodge.ask(Message.request("server/discover"))
                #expect(refusal.hasPrefix(#"{"jsonrpc":"2.0","id":1,"error":{"code":\#(code),"#))
                let greeting = try await lodge.initialize()
                #expect(greeting == ConnectTests.initialized)
                let call = #"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#
                let tools = try await lodge.ask(call)
                #expect(tools == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
                // Nothing of the session is said in the other era, and its loss is not read out of a 404.
                let again = try await lodge.ask(Message.request("server/discover"))
                #expect(again == refusal)
                let more = try await lodge.ask(call)
                #expect(more == #"{"jsonrpc":"2.0","id":2,"result":{}}"#)
            }
            let posts = server.requests.filter { $0.method == "POST" }
            #expect(posts.map { $0["Mcp-Session-Id"] } == [nil, nil, "s1", "s1", nil, "s1"])
            #expect(
                posts.map { $0["MCP-Protocol-Version"] }
                    == ["2026-07-28", nil, "2025-06-18", "2025-06-18", "2026-07-28", "2025-06-18"])
            #expect(posts.map { $0["Mcp-Method"] != nil } == [true, false, false, false, true, false])
            #expect(server.requests.last?.method == "DELETE")
        }
    }

    @Test("errors of the modern era come as they are, whatever their status") func errors() async throws {
        let errors: [(status: Int, error: String)] = [
            (400, #""error":{"code":-32022,"message":"m","data":{"supported":["2026-07-28"],"requested":"x"}}}"#),
            (400, #""error": {"code":-32021,"message":"m"} }"#), (404, #""error":{"code":-32601,"message":"m"}}"#),
            (400, #""error":{"code":-32602,"message":"m"}}"#), (400, #""error":{"code":-32020,"message":"m"}}"#),
            (500, #""error":{"code":-32603,"message":"m"}}"#),
        ]
        try await ScriptedServer.with({ request, answer in
            let (status, error) = errors[request.number - 1]
            answer.respond(
                status, ["content-type": "application/json"], #"{"jsonrpc":"2.0","id":1,"extra":1e400, "# + error)
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                for (_, error) in errors {
                    let answer = try await lodge.ask(Message.request("resources/list"))
                    #expect(answer == #"{"jsonrpc":"2.0","id":1,"extra":1e400, "# + error)
                }
            }
            #expect(server.requests.count == errors.count)
        }
    }

    @Test("a cancelled call ends its response; nothing is sent, and nothing is said") func cancellation() async throws {
        let closed = LogLines()
        try await ScriptedServer.with({ request, answer in
            if request.body.contains(#""id":2"#) { return answer.json(Message.result("2")) }
            answer.whenClosed { closed.append(request["Mcp-Name"] ?? "") }
            if request.body.contains("silent") { return }
            answer.openStream()
            answer.event(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#)
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                let first = try await lodge.ask(Message.call("open"))
                #expect(first.contains("progress"))
                try lodge.say(Message.cancel("1"))
                await closed.wait(for: "open")
                // Also one whose response has not begun.
                try lodge.say(Message.call("silent", id: "3"))
                #expect(await eventually { server.requests.count == 2 })
                try lodge.say(Message.cancel("3"))
                await closed.wait(for: "silent")
                try lodge.say(Message.cancel("77"))
                let quick = try await lodge.ask(Message.call("quick", id: "2"))
                #expect(quick == Message.result("2"))
                #expect(lodge.output.lines.count == 2)
            }
            #expect(server.requests.map { $0["Mcp-Name"] } == ["open", "silent", "quick"])
        }
    }

    @Test("a response that its server does not end is left soon after the answer") func unended() async throws {
        let closed = LogLines()
        try await ScriptedServer.with({ _, answer in
            answer.whenClosed { closed.append("closed") }
            answer.openStream()
            answer.event(Message.result("1"))
            answer.event(#"{"jsonrpc":"2.0","method":"late"}"#)
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try lodge.say(Message.call("a"))
                await closed.wait(for: "closed")
                #expect(lodge.output.lines == [Message.result("1")])
            }
        }
    }

    @Test("a server of the modern era alone answers initialize itself; no older transport is looked for")
    func modernOnly() async throws {
        let refusal =
            #"{"jsonrpc":"2.0","id":0,"error":{"code":-32022,"message":"m","data":{"supported":["2026-07-28"]}}}"#
        try await ScriptedServer.with({ _, answer in
            answer.respond(400, ["content-type": "application/json"], refusal)
        }) { server in
            try await ConnectProcess.with(server.url, status: 1) { lodge in
                let answer = try await lodge.ask(MCPClient.initialize())
                #expect(answer == refusal)
            }
            #expect(server.requests.map(\.method) == ["POST"])
        }
    }

    @Test("subscriptions stay open beside each other, and each ends in its own way") func subscriptions() async throws {
        let streams = Mutex<[String: ScriptedServer.Answer]>([:])
        let closed = LogLines()
        func tell(_ id: String, _ number: Int) -> String {
            #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{"n":\#(number),"_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}}}"#
        }
        try await ScriptedServer.with({ request, answer in
            let id = request.body.firstMatch(of: #/"id":(\d+)/#).map { String($0.1) } ?? ""
            answer.openStream()
            answer.send(": keep\n\n")
            answer.event(
                #"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}}}"#
            )
            answer.whenClosed { closed.append(id) }
            streams.withLock { $0[id] = answer }
        }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                for id in 1...4 {
                    _ = try await lodge.ask(
                        Message.request("subscriptions/listen", #""notifications":{}"#, id: "\(id)"))
                }
                let open = streams.withLock { $0 }
                open["2"]?.event(tell("2", 1))
                await lodge.lines(5)
                open["1"]?.event(tell("1", 2))
                await lodge.lines(6)
                open["1"]?.event(Message.result("1", #""_meta":{"io.modelcontextprotocol/subscriptionId":1}"#))
                open["1"]?.close()
                await lodge.lines(7)
                open["2"]?.close()
                await lodge.lines(8)
                try lodge.say(Message.cancel("3"))
                await closed.wait(for: "3")
                open["4"]?.event(tell("4", 3))
                let lines = await lodge.lines(9)
                #expect(
                    Array(lines.dropFirst(4)) == [
                        tell("2", 1), tell("1", 2),
                        Message.result("1", #""_meta":{"io.modelcontextprotocol/subscriptionId":1}"#),
                        #"{"jsonrpc":"2.0","id":2,"# + Self.broken, tell("4", 3),
                    ])
                // A subscription is nothing that the end of the input waits for.
                lodge.endInput()
                await closed.wait(for: "4")
            }
            #expect(server.requests.allSatisfy { $0.method == "POST" })
            #expect(server.requests.count == 4)
        }
    }

    @Test("over HTTP+SSE a modern request is answered at once, and nothing is posted") func olderTransport()
        async throws
    {
        let old = ConnectEventsTests.Server()
        try await ScriptedServer.with({ old.take($0, $1) }) { server in
            try await ConnectProcess.with(server.url + "/sse") { lodge in
                let refusal =
                    #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"the server is reached by HTTP+SSE of 2024-11-05, which has no 'server/discover' of this revision; begin with initialize"}}"#
                let first = try await lodge.ask(Message.request("server/discover"))
                #expect(first == refusal)
                #expect(server.requests.isEmpty)
                let greeting = try await lodge.initialize()
                #expect(greeting == ConnectTests.initialized)
                let later = try await lodge.ask(Message.request("server/discover"))
                #expect(later == refusal)
            }
            #expect(server.requests.allSatisfy { $0["Mcp-Method"] == nil })
        }
    }

    @Test("a server of HTTP+SSE at any path is found by the handshake after the probe") func olderByAnswer()
        async throws
    {
        let old = ConnectEventsTests.Server()
        try await ScriptedServer.with({ old.take($0, $1) }) { server in
            try await ConnectProcess.with(server.url + "/mcp") { lodge in
                let probe = try await lodge.ask(Message.request("server/discover"))
                #expect(probe.errorMessage == "the server refused the message with the HTTP status 405")
                let greeting = try await lodge.initialize()
                #expect(greeting == ConnectTests.initialized)
                let refusal = try await lodge.ask(Message.request("tools/list"))
                #expect(refusal.contains(#""code":-32601"#))
                #expect(
                    try await lodge.ask(#"{"jsonrpc":"2.0","id":9,"method":"tools/list"}"#)
                        == #"{"jsonrpc":"2.0","id":9,"result":{}}"#)
            }
        }
    }

    @Test("one id is open in both eras, and each is answered for itself") func sameID() async throws {
        let script = ConnectTests.server { request, answer in
            let isModern = request["Mcp-Method"] != nil
            answer.openStream()
            answer.event(#"{"jsonrpc":"2.0","method":"\#(isModern ? "modern" : "legacy")"}"#)
            answer.event(#"{"jsonrpc":"2.0","id":1,"result":{"modern":\#(isModern)}}"#)
            answer.close()
        }
        try await ScriptedServer.with(script) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try await lodge.initialize()
                try lodge.say(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
                try lodge.say(Message.request("tools/list"))
                let lines = await lodge.lines(5)
                #expect(lines.contains(#"{"jsonrpc":"2.0","id":1,"result":{"modern":true}}"#))
                #expect(lines.contains(#"{"jsonrpc":"2.0","id":1,"result":{"modern":false}}"#))
            }
        }
    }

    @Test("a broken response is lost: nothing is sent again, and nothing resumed", arguments: [true, false])
    func broken(begun: Bool) async throws {
        try await ScriptedServer.with({ request, answer in
            if begun {
                answer.openStream()
                answer.event(#"{"jsonrpc":"2.0","method":"notifications/progress"}"#, id: "e1")
                answer.event(#"{"jsonrpc":"2.0","id":"q","method":"roots/list"}"#, id: "e2")
            }
            answer.close()
        }) { server in
            try await ConnectProcess.with(server.url, status: 1) { lodge in
                try lodge.say(Message.call("a"))
                let lines = await lodge.lines(begun ? 2 : 1)
                #expect(lines.last?.errorData?["reason"]?.string == "stream-broken")
                #expect(lines.count == (begun ? 2 : 1), "a question of the server is not passed on")
                if begun { await lodge.log.wait(for: "a server asks nothing in this era") }
            }
            #expect(server.requests.map(\.method) == ["POST"])
        }
    }

    @Test("the end of the input waits for answers") func drain() async throws {
        let held = Held()
        try await ScriptedServer.with({ request, answer in held.hold(answer) }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try lodge.say(Message.call("a"))
                #expect(await eventually { server.requests.count == 1 })
                lodge.endInput()
                held.release { $0.json(Message.result("1")) }
                #expect(await lodge.lines(1) == [Message.result("1")])
            }
        }
    }

    @Test("a signal ends it, with calls and subscriptions open") func signal() async throws {
        try await ScriptedServer.with({ request, answer in answer.openStream() }) { server in
            try await ConnectProcess.with(server.url) { lodge in
                try lodge.say(Message.request("subscriptions/listen"))
                try lodge.say(Message.call("a", id: "2"))
                #expect(await eventually { server.requests.count == 2 })
                lodge.child.send(SIGTERM)
                #expect(await lodge.child.waitForExit() == .exited(0))
            }
            #expect(server.requests.allSatisfy { $0.method == "POST" })
        }
    }

    @Test("401 is told as ever, with its exit status") func unauthorized() async throws {
        try await ScriptedServer.with({ request, answer in
            answer.respond(401, ["content-type": "application/json"], #"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#)
        }) { server in
            try await ConnectProcess.with(server.url, status: 3) { lodge in
                let answer = try await lodge.ask(Message.request("server/discover"))
                #expect(answer.errorMessage == "the server wants another authorization than it was given (401)")
            }
        }
    }
}
