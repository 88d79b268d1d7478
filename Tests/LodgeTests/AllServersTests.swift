// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

/// The endpoint of all servers together, `/all/mcp`, on the built program.
@Suite("lodge run: all servers in one endpoint", .serialized, .timeLimit(.minutes(2)))
struct AllServersTests {
    /// Runs a session whose agent waits while the body plays its part.
    func session(
        _ servers: [JSONValue], flags: [String] = [], in scratch: ScratchDirectory? = nil,
        _ body: (AgentRun, ReadyFacts) async throws -> Void
    ) async throws {
        func run(_ scratch: ScratchDirectory) async throws {
            let run = try AgentRun(
                servers: servers, in: scratch, flags: flags, script: "echo ready; read -r line; exit 0")
            await run.output.wait(for: "ready")
            try await body(run, try run.ready())
            let family = run.family
            run.endInput()
            #expect(await run.finish(after: family) == 0)
        }
        if let scratch { try await run(scratch) } else { try await ScratchDirectory.with(run) }
    }

    static let toolsChanged = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#

    @Test("two servers with the same names: tools and prompts by prefix, resources by owner, each to its own server")
    func sameNames() async throws {
        try await session([TestServers.everything("one"), TestServers.everything("two")]) { run, ready in
            let client = try await AllServersClient(ready)
            let tools = try await client.names("tools/list", "tools")
            #expect(tools.count == 2 * Set(tools.map { $0.dropFirst(5) }).count)
            #expect(tools.allSatisfy { $0.hasPrefix("one__") || $0.hasPrefix("two__") })
            var pids: [Int64?] = []
            for server in ["one", "two"] {
                let answer = try await client.request("tools/call", #"{"name":"\#(server)__whoami"}"#)
                pids.append(answer?["result"]?["structuredContent"]?["pid"]?.integer)
            }
            #expect(Set(pids).count == 2)
            #expect(Set(pids).isSubset(of: Set(run.family.members.map { Int64($0.pid) })))

            let prompts = try await client.names("prompts/list", "prompts")
            #expect(prompts.contains("one__test_simple_prompt") && prompts.contains("two__test_simple_prompt"))
            let prompt = try await client.request("prompts/get", #"{"name":"two__test_simple_prompt"}"#)
            #expect(prompt?["result"]?["messages"]?.elements?.count == 1)

            let text = "This is the content of the static text resource."
            let uris = try await client.names("resources/list", "resources", "uri")
            #expect(
                uris.filter { $0.hasPrefix("test://") }.map { "lodge+two:" + $0 }
                    == uris.filter { !$0.hasPrefix("test") })
            for uri in ["test://static-text", "lodge+two:test://static-text"] {
                let answer = try await client.request("resources/read", #"{"uri":"\#(uri)"}"#)
                #expect(
                    answer?["result"]?["contents"] == [
                        ["uri": .string(uri), "mimeType": "text/plain", "text": .string(text)]
                    ])
            }
            #expect(
                try await client.names("resources/templates/list", "resourceTemplates", "uriTemplate") == [
                    "test://template/{id}/data", "lodge+two:test://template/{id}/data",
                ])
            let expanded = try await client.request("resources/read", #"{"uri":"lodge+two:test://template/7/data"}"#)
            #expect(
                expanded?["result"]?["contents"]?.elements?.first?["uri"] == "lodge+two:test://template/7/data")
            let completion = try await client.request(
                "completion/complete",
                #"{"ref":{"type":"ref/prompt","name":"two__test_prompt_with_arguments"},"argument":{"name":"arg1","value":"par"}}"#
            )
            #expect(completion?["result"]?["completion"]?["values"] == ["paris", "park", "party"])
        }
    }

    @Test("what no server has is refused by name, and the endpoint has its own doors") func unknown() async throws {
        try await session([TestServers.fixture("one", "echo"), TestServers.fixture("two", "echo")]) { _, ready in
            let client = try await AllServersClient(ready)
            for name in ["echo", "three__echo", "__echo"] {
                let answer = try await client.request("tools/call", #"{"name":"\#(name)"}"#)
                #expect(answer?["error"] == ["code": -32602, "message": .string("unknown tool: \(name)")])
            }
            let body = Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8)
            for (token, path, status) in [
                (nil, "/all/mcp", 401), (ready.token, "/all/mcp", 400), (ready.token, "/all/mcp/", 400),
            ] {
                let response = try await HTTPExchange.post(body, port: ready.port, path: path, token: token)
                #expect(response.status == status)
            }
            let elsewhere = try await HTTPExchange.post(body, port: ready.port, path: "/mcp", token: ready.token)
            #expect(
                String(decoding: elsewhere.body, as: UTF8.self).contains(
                    "this broker has /servers/one/mcp, /servers/two/mcp, /all/mcp"))
            #expect(try await client.end() == 200)
            #expect(try await client.post(MCPClient.call("one__echo")).status == 404)
        }
    }

    @Test("a change of one server's tools is told, and its new tool is there") func listChange() async throws {
        try await session([TestServers.everything("one"), TestServers.everything("two")]) { _, ready in
            let client = try await AllServersClient(ready)
            let stream = try await client.stream()
            #expect(try await !client.names("tools/list", "tools").contains("two__test_dynamic_tool"))
            _ = try await client.request("tools/call", #"{"name":"two__test_trigger_tool_change","arguments":{}}"#)
            #expect(try await stream.message()?.data == Self.toolsChanged)
            let tools = try await client.names("tools/list", "tools")
            #expect(tools.contains("two__test_dynamic_tool") && !tools.contains("one__test_dynamic_tool"))
            await stream.close()
        }
    }

    /// X5
    @Test("a server that dies drops out, the other loses nothing, and it is back under its names") func deathAndReturn()
        async throws
    {
        try await ScratchDirectory.with { scratch in
            let (started, again) = (scratch.path + "/started", scratch.path + "/again")
            let frail = TestServers.fixture(
                "frail",
                after: "if [ -e '\(started)' ]; then until [ -e '\(again)' ]; do sleep 0.02; done; fi; : >'\(started)'",
                "crashing", "--at", "during-call", "--once", scratch.path + "/crashed")
            try await session(
                [frail, TestServers.fixture("steady", "echo")], flags: ["--restart-delays", "0"], in: scratch
            ) { _, ready in
                let client = try await AllServersClient(ready)
                let stream = try await client.stream()
                #expect(try await client.names("tools/list", "tools") == ["frail__echo", "steady__echo"])
                let failed = try await client.request(
                    "tools/call", #"{"name":"frail__echo","arguments":{"message":"x"}}"#)
                #expect(failed?["error"]?["code"] == -32000)
                #expect(
                    failed?["error"]?["message"] == "server 'frail' ended with exit status 3 before it answered")
                #expect(try await stream.message()?.data == Self.toolsChanged)
                #expect(try await client.names("tools/list", "tools") == ["steady__echo"])
                let steady = try await client.post(MCPClient.call("steady__echo", #"{"message":"hi"}"#))
                #expect(steady.text == MCPClient.text("hi"))
                try scratch.write("", to: "again")
                #expect(try await stream.message()?.data == Self.toolsChanged)
                #expect(try await client.names("tools/list", "tools") == ["frail__echo", "steady__echo"])
                let back = try await client.post(MCPClient.call("frail__echo", #"{"message":"back"}"#))
                #expect(back.text == MCPClient.text("back"))
                await stream.close()
            }
        }
    }

    /// A-G6, X3
    @Test("two servers ask their one client at the same time, and each gets its own answer") func questions()
        async throws
    {
        let servers = ["one", "two"].map { TestServers.everything($0).isolated }
        try await session(servers) { run, ready in
            let client = try await AllServersClient(ready, capabilities: ClientIsolation.capabilities)
            let bystander = try await AllServersClient(ready, capabilities: ClientIsolation.capabilities)
            var asking: [(server: String, call: AllServersClient, question: JSONValue)] = []
            for server in ["one", "two"] {
                let call = try await client.another()
                try await call.send(MCPClient.call("\(server)__test_sampling", #"{"prompt":"I am \#(server)"}"#))
                #expect(try await call.connection.head()["Content-Type"] == "text/event-stream")
                let event = try #require(try await call.connection.message()?.data)
                asking.append((server, call, try JSONValue.parse(Array(event.utf8))))
            }
            #expect(Set(asking.map { $0.question["id"] }).count == 2)
            for (server, _, question) in asking.reversed() {
                #expect(
                    question["params"]?["messages"]?.elements?.first?["content"]?["text"]
                        == .string("I am \(server)"))
                let id = try #require(question["id"]?.integer)
                func answer(_ text: String) -> String {
                    #"{"jsonrpc":"2.0","id":\#(id),"result":{"role":"assistant","model":"m","content":{"type":"text","text":"\#(text)"}}}"#
                }
                // Another client's answer under the same id goes nowhere.
                #expect(try await bystander.post(answer("stolen")).status == 202)
                #expect(try await client.post(answer("to \(server)")).status == 202)
            }
            for (server, call, _) in asking {
                #expect(try await call.connection.message()?.data == MCPClient.text("LLM response: to \(server)"))
            }
            func processes() -> Int {
                run.family.members.count { $0.isAlive && $0.arguments.first == BuiltProducts.everything }
            }
            #expect(processes() == 4)
            #expect(try await client.end() == 200)
            #expect(await eventually { processes() == 2 })
        }
    }

    @Test("a client's own server that ends fails its call, is told as changed, and the next call has a new one")
    func ownServerEnds() async throws {
        try await session([TestServers.everything("own").isolated, TestServers.fixture("other", "echo")]) { _, ready in
            let client = try await AllServersClient(ready)
            let stream = try await client.stream()
            func pid() async throws -> Int64? {
                try await client.request("tools/call", #"{"name":"own__whoami"}"#)?["result"]?["structuredContent"]?[
                    "pid"]?
                    .integer
            }
            let first = try #require(try await pid())
            let failed = try await client.request("tools/call", #"{"name":"own__exit","arguments":{"status":4}}"#)
            #expect(failed?["error"]?["message"] == "server 'own' ended with exit status 4 before it answered")
            for list in ["prompts", "resources", "tools"] {
                #expect(
                    try await stream.message()?.data
                        == #"{"jsonrpc":"2.0","method":"notifications/\#(list)/list_changed"}"#)
            }
            let second = try #require(try await pid())
            #expect(first != second)
            #expect(try await client.names("tools/list", "tools").contains("other__echo"))
            await stream.close()
        }
    }

    /// A-G5
    @Test("a cancellation reaches the server that has the call, and no other call of that id") func cancellation()
        async throws
    {
        try await session([TestServers.everything("one"), TestServers.everything("two")]) { _, ready in
            let (client, other) = (try await AllServersClient(ready), try await AllServersClient(ready))
            let (call, bystander) = (try await client.another(), try await other.another())
            try await call.send(MCPClient.call("one__hold", #"{"name":"x"}"#, id: "5", token: "5"))
            try await bystander.send(MCPClient.call("one__hold", #"{"name":"y"}"#, id: "5", token: "5"))
            // Both are at the server once their progress is there.
            for waiting in [call, bystander] {
                _ = try await waiting.connection.head()
                #expect(try await waiting.connection.message()?.data?.contains(#""progressToken":5"#) == true)
            }
            let cancelled =
                #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":5,"reason":"enough"}}"#
            #expect(try await client.post(cancelled).status == 202)
            #expect(try await call.connection.message()?.data?.contains(#""reason":"cancelled""#) == true)
            for (server, count) in [("one", 1), ("two", 0)] {
                let seen = try await client.request("tools/call", #"{"name":"\#(server)__subscriptions"}"#)
                #expect(
                    seen?["result"]?["structuredContent"]?["cancelledNotifications"] == .number(.init(Int64(count))))
            }
            _ = try await other.request("tools/call", #"{"name":"one__release","arguments":{"name":"y"}}"#)
            #expect(try await bystander.connection.message()?.data == MCPClient.text("held y", id: "5"))
        }
    }

    /// X3
    @Test("20 clients with the same ids and tokens over 10 servers: 4,000 calls, none is answered wrong") func load()
        async throws
    {
        let names = (0..<10).map { "server-\($0)" }
        try await session(names.map { TestServers.fixture($0, "counting") }) { _, ready in
            let wrong = try await withThrowingTaskGroup(of: [String].self) { group in
                for number in 0..<20 { group.addTask { try await Self.calls(of: number, names, ready) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(wrong.isEmpty, "\(wrong.count) wrong, such as \(wrong.prefix(3))")
            let client = try await AllServersClient(ready)
            for name in names {
                let count = try await client.request("tools/call", #"{"name":"\#(name)__count","arguments":{}}"#)
                #expect(count?["result"]?["structuredContent"]?["total"] == 400)
                let calls = count?["result"]?["structuredContent"]?["calls"]?.elements ?? []
                // What reached a server was meant for it.
                #expect(calls.allSatisfy { $0["label"]?.string?.hasPrefix(name + "/") == true })
            }
        }
    }

    /// X2, X5
    @Test("a server that ends after every call takes nothing from the other nine, and none of its own calls hangs")
    func othersLoseNothing() async throws {
        let names = (1..<10).map { "server-\($0)" }
        let frail = TestServers.fixture("frail", "crashing", "--at", "after-call")
        try await session(
            names.map { TestServers.fixture($0, "counting") } + [frail], flags: ["--restart-delays", "0"]
        ) { _, ready in
            let isOver = Mutex(false)
            let ending = Task {
                let client = try await AllServersClient(ready)
                var ends = 0
                while !isOver.withLock({ $0 }) {
                    let answer = try await client.post(MCPClient.call("frail__echo", #"{"message":"hi"}"#))
                    let isReason = answer.json?["error"]?["data"]?["server"] == "frail"
                    if answer.text != MCPClient.text("hi"), !isReason { throw LodgeProcessError(answer.text) }
                    ends += 1
                }
                return ends
            }
            let wrong = try await withThrowingTaskGroup(of: [String].self) { group in
                for number in 0..<10 { group.addTask { try await Self.calls(of: number, names, ready) } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            isOver.withLock { $0 = true }
            #expect(wrong.isEmpty, "\(wrong.count) wrong, such as \(wrong.prefix(3))")
            #expect(try await ending.value > 0)
        }
    }

    /// One client's calls, 20 at a time to every server in turn, all with the ids and tokens 1 to 20.
    private static func calls(of number: Int, _ names: [String], _ ready: ReadyFacts) async throws -> [String] {
        let client = try await AllServersClient(ready)
        var wrong: [String] = []
        for round in 0..<10 {
            func label(_ id: Int) -> String { "\(names[(id + round) % names.count])/\(number)/\(round)/\(id)" }
            var bytes = ByteBuffer()
            for id in 1...20 {
                let server = names[(id + round) % names.count]
                bytes.writeImmutableBuffer(
                    client.bytes(
                        MCPClient.call(
                            "\(server)__progress", #"{"steps":\#(id % 4 == 0 ? 2 : 0),"label":"\#(label(id))"}"#,
                            id: "\(id)", token: "\(id)")))
            }
            try await client.connection.send(bytes)
            for id in 1...20 {
                let answer = try await client.connection.response()
                let progress = (id % 4 == 0 ? [1, 2] : []).map { step in
                    #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id),"progress":\#(step),"total":2,"message":"\#(label(id))"}}"#
                }
                let messages = answer["Content-Type"] == "text/event-stream" ? answer.messages : [answer.text]
                if messages != progress + [MCPClient.text(label(id), id: "\(id)")] {
                    wrong.append("\(label(id)): \(answer.text)")
                }
            }
        }
        await client.connection.close()
        return wrong
    }

    @Test("no server can have the name of the endpoint") func reservedName() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(servers: [TestServers.fixture("all", "echo")], in: scratch, script: "echo ready")
            #expect(await run.finish() == 2)
            #expect(
                run.log.lines.contains {
                    $0.hasSuffix("server name 'all' stands for all servers together; choose another name")
                })
        }
    }
}

private enum ClientIsolation {
    static let capabilities = #"{"sampling":{},"roots":{"listChanged":true},"elicitation":{}}"#
}

extension JSONValue {
    /// The same entry of a file of servers with a process for each client.
    fileprivate var isolated: JSONValue { .object((members ?? []) + [Member("isolation", "client")]) }
}
