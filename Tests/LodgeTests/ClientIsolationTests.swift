// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    @Suite("isolation client", .timeLimit(.minutes(1))) struct ClientIsolationTests {
        static let capabilities = #"{"sampling":{},"roots":{"listChanged":true},"elicitation":{}}"#

        /// A-G9
        @Test("each session has a process of its own, which ends with it") func ownProcesses() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let (one, two) = (try await lodge.client(), try await lodge.client())
                let pids = [try await one.processID(), try await two.processID()]
                #expect(pids[0] != pids[1])
                #expect(await eventually { Set(lodge.servers.map { Int64($0.pid) }) == Set(pids.compactMap(\.self)) })
                #expect(try await one.ask("DELETE").status == 200)
                #expect(await eventually { lodge.servers.map { Int64($0.pid) } == [pids[1]] })
                #expect(try await two.echoes())
                #expect(try await lodge.status()["upstreams"] == 1)
            }
        }

        /// A-G9, A-G11
        @Test("the server sees the client's own initialize, once, and its notifications") func ownHandshake()
            async throws
        {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let client = try await lodge.client(version: "2025-06-18", capabilities: Self.capabilities)
                let seen = try await client.call("subscriptions").json?["result"]?["structuredContent"]
                #expect(seen?["initializeRequests"] == 1)
                #expect(seen?["initializedNotifications"] == 1)
                #expect(seen?["protocolVersion"] == "2025-06-18")
                #expect(seen?["clientInfo"] == ["name": "test", "version": "1"])
                #expect(
                    seen?["clientCapabilities"] == [
                        "sampling": [:], "roots": ["listChanged": true], "elicitation": [:],
                    ])
            }
        }

        static let questions: [(tool: String, arguments: String, method: String, answer: String, result: String)] = [
            (
                "test_sampling", #"{"prompt":"Hello?"}"#, "sampling/createMessage",
                #"{"role":"assistant","content":{"type":"text","text":"hi there"},"model":"m"}"#,
                "LLM response: hi there"
            ),
            (
                "test_elicitation", #"{"message":"Who?"}"#, "elicitation/create",
                #"{"action":"accept","content":{"username":"u","email":"e"}}"#,
                #"User response: action=accept, content={\"username\":\"u\",\"email\":\"e\"}"#
            ),
            ("ping_client", "{}", "ping", "{}", "pong"),
        ]

        /// A-G6
        @Test(
            "a question of the server reaches its client during the call, and the answer reaches the server",
            arguments: questions)
        func question(tool: String, arguments: String, method: String, answer: String, result: String) async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let client = try await lodge.client(capabilities: Self.capabilities)
                let bystander = try await lodge.client(capabilities: Self.capabilities)
                var stream = try await lodge.stranger()
                stream.session = bystander.session
                try await stream.openStream()
                if method == "ping" {
                    // Lodge answers pings itself, on both sides.
                    #expect(try await client.call(tool, arguments).text == MCPClient.text(result))
                } else {
                    try await client.send(MCPClient.call(tool, arguments))
                    #expect(try await client.connection.head()["Content-Type"] == "text/event-stream")
                    let event = try #require(try await client.connection.message()?.data)
                    let question = try JSONValue.parse(Array(event.utf8))
                    #expect(question["method"]?.string == method)
                    let id = try #require(question["id"]?.integer)
                    var other = try await lodge.stranger()
                    (other.session, other.version) = (client.session, client.version)
                    let told = try await other.post(#"{"jsonrpc":"2.0","id":\#(id),"result":\#(answer)}"#)
                    #expect(told.status == 202)
                    #expect(try await client.connection.message()?.data == MCPClient.text(result))
                }
                // Whatever the bystander had been sent would stand before the end of its stream.
                #expect(try await bystander.ask("DELETE").status == 200)
                #expect(try await stream.connection.message() == nil)
            }
        }

        /// A-G6, X3
        @Test("an answer of another client to a server's question goes nowhere") func foreignAnswer() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let client = try await lodge.client(capabilities: Self.capabilities)
                let thief = try await lodge.client(capabilities: Self.capabilities)
                try await client.send(MCPClient.call("test_sampling", #"{"prompt":"Hello?"}"#))
                _ = try await client.connection.head()
                let event = try #require(try await client.connection.message()?.data)
                let id = try #require(try JSONValue.parse(Array(event.utf8))["id"]?.integer)
                func answer(_ text: String) -> String {
                    #"{"jsonrpc":"2.0","id":\#(id),"result":{"role":"assistant","model":"m","content":{"type":"text","text":"\#(text)"}}}"#
                }
                #expect(try await thief.post(answer("stolen")).status == 202)
                var own = try await lodge.stranger()
                (own.session, own.version) = (client.session, client.version)
                #expect(try await own.post(answer("mine")).status == 202)
                #expect(try await client.connection.message()?.data == MCPClient.text("LLM response: mine"))
            }
        }

        /// A-G6
        @Test("log messages go to the client whose server it is, beside its answer") func logMessages() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.everythingServer) {
                lodge in
                let (one, two) = (try await lodge.client(), try await lodge.client())
                let answer = try await one.call("log", #"{"level":"error","message":"for one"}"#)
                #expect(answer.messages.count == 2)
                #expect(answer.messages.first?.contains(#""data":"for one""#) == true)
                #expect(answer.messages.last == MCPClient.text("logged"))
                #expect(
                    try await two.call("log", #"{"level":"debug","message":"too fine"}"#).text
                        == MCPClient.text("logged"))
                #expect(lodge.log.lines(with: "for one").isEmpty)
            }
        }

        /// A-G9
        @Test("the state of one client's server is not another's") func ownState() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.fixture("counting")) {
                lodge in
                let (one, two) = (try await lodge.client(), try await lodge.client())
                _ = try await one.call("hit", #"{"label":"x"}"#)
                #expect(try await one.call("count").json?["result"]?["structuredContent"]?["total"] == 1)
                #expect(try await two.call("count").json?["result"]?["structuredContent"]?["total"] == 0)
            }
        }

        /// A-G9, A-G3
        @Test("more clients than there may be are told so, and there is room again when one leaves") func cap()
            async throws
        {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.fixture("echo")) {
                lodge in
                var clients: [MCPClient] = []
                for _ in 0..<32 { clients.append(try await lodge.client()) }
                let stranger = try await lodge.stranger()
                let refused = try await stranger.post(MCPClient.initialize(id: #""late""#))
                #expect(refused.status == 503)
                #expect(refused["Retry-After"] == "60")
                #expect(
                    refused.text == #"{"jsonrpc":"2.0","id":"late","error":{"code":-32000,"#
                        + #""message":"every session of server 'fixtureserver' is in use; end one or wait"}}"#)
                #expect(await eventually { lodge.servers.count == 32 })
                #expect(try await clients[7].ask("DELETE").status == 200)
                #expect(try await stranger.post(MCPClient.initialize()).status == 200)
                #expect(await eventually { lodge.servers.count == 32 })
            }
        }

        /// A-G9, A25
        @Test("a client that leaves during its initialize leaves no process behind") func abandonedStart() async throws
        {
            try await LodgeProcess.withServe(
                ["--isolation", "client"], server: BuiltProducts.fixture("slow", "--start-delay-ms", "300")
            ) { lodge in
                for _ in 0..<5 {
                    let client = try await lodge.stranger()
                    try await client.send(MCPClient.initialize())
                    #expect(try await lodge.reaches { ($0["upstreams"]?.integer ?? 0) > 0 })
                    try await client.connection.reset()
                }
                #expect(try await lodge.reaches { $0["upstreams"] == 0 && $0["sessions"] == 0 })
                #expect(await eventually { lodge.servers.isEmpty })
            }
        }

        /// A7, A-G9
        @Test("an initialize that the client's own server refuses is passed on, and the next one is new")
        func refusedInitialize() async throws {
            try await ScratchDirectory.with { scratch in
                let server = BuiltProducts.fixture(
                    "failing-initialize", "--times", "2", "--state", "\(scratch.path)/count")
                try await LodgeProcess.withServe(["--isolation", "client"], server: server) { lodge in
                    let refused = try await lodge.stranger().post(MCPClient.initialize(id: #""me""#))
                    #expect(refused.status == 200)
                    #expect(refused["Mcp-Session-Id"] == nil)
                    #expect(
                        refused.text == #"{"jsonrpc":"2.0","id":"me","error":{"code":-32000,"#
                            + #""message":"the database is not reachable","data":{"attempt":2}}}"#)
                    #expect(try await lodge.client().echoes())
                }
            }
        }

        /// A22, A23
        @Test("a client whose server ends in its handshake gets 503 with the reason, and no process is left")
        func endInHandshake() async throws {
            try await LodgeProcess.withServe(
                ["--isolation", "client", "--restart-delays", "30"],
                server: BuiltProducts.fixture("crashing", "--at", "before-initialize-answer")
            ) { lodge in
                let answer = try await lodge.stranger().post(MCPClient.initialize())
                #expect(answer.status == 503)
                #expect(answer.json?["error"]?["code"] == -32000)
                #expect(answer.json?["error"]?["data"]?["exitCode"] == 3)
                #expect(
                    answer.json?["error"]?["data"]?["stderrTail"]
                        == [.string(ServeFailures.Failure.lastWords("before-initialize-answer"))])
                #expect(await eventually { lodge.servers.isEmpty })
                #expect(try await lodge.status()["sessions"] == 0)
            }
        }

        /// A22
        @Test("the stream of a session ends when its server does") func streamOfDead() async throws {
            try await LodgeProcess.withServe(["--isolation", "client"], server: BuiltProducts.fixture("echo")) {
                lodge in
                let client = try await lodge.client()
                var stream = try await lodge.stranger()
                stream.session = client.session
                try await stream.openStream()
                #expect(await eventually { lodge.servers.count == 1 })
                lodge.servers.first?.kill()
                #expect(try await stream.connection.message() == nil)
                #expect(try await client.post(MCPClient.echo("hi")).status == 404)
            }
        }

        /// A-G6
        @Test("a shared server's question is refused to it, not put to anybody") func sharedQuestion() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.client(capabilities: Self.capabilities)
                let answer = try await client.call("test_sampling", #"{"prompt":"Hello?"}"#)
                #expect(answer["Content-Type"] == "application/json")
                #expect(answer.json?["result"]?["isError"] == true)
                #expect(answer.text.contains("the client does not support sampling"))
                #expect(try await client.call("ping_client").text == MCPClient.text("pong"))
            }
        }
    }
}

extension MCPClient {
    /// The process that answers this client, as EverythingServer tells it.
    func processID() async throws -> Int64? {
        try await call("whoami").json?["result"]?["structuredContent"]?["pid"]?.integer
    }
}
