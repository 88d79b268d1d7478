// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import JSONRPC
import LodgeTestSupport
import Testing

extension Doors {
    /// Each starts with an environment that holds PATH and the variables of the door, and nothing else.
    @Suite("claw-mcp-stdio", .timeLimit(.minutes(1))) struct ClawDoorTests {
        static let door = ["as", "claw-mcp-stdio"]

        private func health(_ lodge: LodgeProcess) async throws -> Int {
            let client = try await lodge.stranger()
            let answer = try await client.ask("GET", "/healthz", ["Authorization": nil])
            await client.connection.close()
            return answer.status
        }

        /// A29, A22
        @Test("the pod's proxy calls, loses its session with the server, and opens another") func cllama() async throws
        {
            try await ScratchDirectory.with { scratch in
                let server = BuiltProducts.fixture("crashing", "--at", "during-call", "--once", "\(scratch.path)/once")
                let environment = try CleanEnvironment.claw(server, ["CLAW_MCP_STDIO_RESTART_BACKOFF_MS": "50"])
                try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                    var proxy = try await CllamaClient(lodge)
                    let failed = try await proxy.call("echo", #"{"message":"hi"}"#)
                    #expect(failed.status == 200)
                    #expect(failed.json?["error"]?["code"] == -32000)
                    #expect(failed.json?["id"] == 2)
                    let isBack = try await eventually { try await health(lodge) == 200 }
                    #expect(isBack)
                    for message in ["one", "two"] {
                        let answer = try await proxy.call("echo", #"{"message":"\#(message)"}"#)
                        #expect(answer.status == 200)
                        #expect(answer["Content-Type"] == "application/json")
                        #expect(answer.text == MCPClient.text(message, id: "2"))
                    }
                    #expect(proxy.handshakes == 2)
                }
            }
        }

        /// A29, A12
        @Test("two calls with the id 2 at once get their own answers") func sameID() async throws {
            let environment = try CleanEnvironment.claw(BuiltProducts.everythingServer)
            try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                async let held = Self.held(lodge)
                var other = try await CllamaClient(lodge)
                #expect(try await other.call("echo", #"{"message":"b"}"#).text == MCPClient.text("b", id: "2"))
                _ = try await other.call("release", #"{"name":"a"}"#)
                #expect(try await held == MCPClient.text("held a", id: "2"))
            }
        }

        private static func held(_ lodge: LodgeProcess) async throws -> String {
            var proxy = try await CllamaClient(lodge)
            return try await proxy.call("hold", #"{"name":"a"}"#).text
        }

        /// A30
        @Test("the pod's discovery waits for health, and lists the tools with its token") func discover() async throws {
            let environment = try CleanEnvironment.claw(
                BuiltProducts.everythingServer, ["CLAW_MCP_STDIO_AUTH_TOKEN": "0123456789abcdef"])
            try await LodgeProcess.withDoor(Self.door, environment: environment, token: "0123456789abcdef") { lodge in
                let tools = try await DiscoverClient.tools(of: lodge)
                #expect(tools.contains { $0["name"] == "echo" })
                #expect(tools.allSatisfy { $0["inputSchema"]?["type"] == "object" })
            }
        }

        /// A18
        @Test("with a token only that opens it; without one it is open, says so once, and takes any Host")
        func token() async throws {
            let server = BuiltProducts.fixture("echo")
            let locked = try CleanEnvironment.claw(server, ["CLAW_MCP_STDIO_AUTH_TOKEN": "p@ss:word"])
            try await LodgeProcess.withDoor(Self.door, environment: locked) { lodge in
                let client = try await lodge.stranger()
                for (value, status) in [(nil, 401), ("Bearer wrong", 401), ("Bearer p@ss:word", 200)] {
                    let answer = try await client.post(MCPClient.initialize(), ["Authorization": value])
                    #expect(answer.status == status)
                }
                #expect(
                    try await client.post(MCPClient.initialize(), ["Authorization": "Bearer p@ss:word", "Host": "x"])
                        .status == 200)
                #expect(lodge.log.lines(with: " warning ").isEmpty)
                #expect(lodge.log.lines(with: "p@ss").isEmpty)
            }
            try await LodgeProcess.withDoor(Self.door, environment: try CleanEnvironment.claw(server)) { lodge in
                let client = try await lodge.stranger()
                #expect(try await client.post(MCPClient.initialize(), ["Host": "tools:8080"]).status == 200)
                let foreign = ["Host": "tools:8080", "Origin": "https://evil.example"]
                #expect(try await client.post(MCPClient.initialize(), foreign).status == 403)
                let warnings = lodge.log.lines(with: " warning ")
                #expect(warnings.count == 1)
                #expect(
                    warnings.first?.hasSuffix(
                        "CLAW_MCP_STDIO_AUTH_TOKEN is not set: whoever reaches 127.0.0.1 can call the server") == true)
            }
        }

        /// A19, A22, A23
        @Test("while the server is down: health 503, initialize 503, its sessions 404") func down() async throws {
            let environment = try CleanEnvironment.claw(
                BuiltProducts.fixture("crashing", "--at", "during-call"),
                ["CLAW_MCP_STDIO_RESTART_BACKOFF_MS": "30000", "CLAW_MCP_STDIO_RESTART_MAX_MS": "30000"])
            try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                let client = try await lodge.client()
                let other = try await lodge.client()
                let health = try await client.ask("GET", "/healthz")
                #expect(health.status == 200)
                #expect(health.text == "ok")
                let probe = CleanEnvironment.path.merging(["CLAW_MCP_STDIO_PORT": "\(lodge.port)"]) { _, new in new }
                #expect(try await Self.healthcheck(probe).status == .exited(0))
                #expect(try await client.post(MCPClient.echo("hi")).status == 200)
                #expect(try await client.ask("GET", "/healthz").status == 503)
                let refused = try await Self.healthcheck(probe)
                #expect(refused.status == .exited(1))
                #expect(refused.errors == "error: the server at 127.0.0.1:\(lodge.port) cannot be used")
                let late = try await other.post(MCPClient.echo("hi", id: "9"))
                #expect(late.status == 404)
                #expect(late.json?["error"]?["code"] == -32001)
                #expect(late.json?["id"] == 9)
                let again = try await lodge.stranger().post(MCPClient.initialize())
                #expect(again.status == 503)
                #expect(again["Retry-After"] != nil)
                #expect(again.json?["error"]?["code"] == -32000)
            }
        }

        private static func healthcheck(_ environment: [String: String]) async throws -> FinishedProgram {
            try await FinishedProgram.program(
                BuiltProducts.lodge, door + ["-healthcheck"], environment: environment)
        }

        /// A21, A23
        @Test("a program that is not there keeps it up and refusing") func missingProgram() async throws {
            let environment = try CleanEnvironment.claw(["/nowhere/server"])
            try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                #expect(try await health(lodge) == 503)
                let refused = try await lodge.stranger().post(MCPClient.initialize())
                #expect(refused.status == 503)
            }
        }

        /// A23, A24
        @Test("a call that takes too long is refused with 503, and its session goes on") func timeout() async throws {
            let environment = try CleanEnvironment.claw(
                BuiltProducts.everythingServer, ["CLAW_MCP_STDIO_REQUEST_TIMEOUT_MS": "500"])
            try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                let client = try await lodge.client()
                let answer = try await client.post(
                    MCPClient.call("hold", #"{"name":"a"}"#, id: "7"), ["Accept": "application/json"])
                #expect(answer.status == 503)
                #expect(answer.json?["id"] == 7)
                #expect(answer.json?["error"]?["code"] == -32000)
                #expect(
                    answer.json?["error"]?["message"]?.string
                        == "server 'everythingserver' did not answer within 0.5 s in all")
                #expect(try await client.echoes())
            }
        }

        /// A3
        @Test("the path and the longest body are what they are set to") func pathAndBody() async throws {
            let server = BuiltProducts.fixture("echo")
            let environment = try CleanEnvironment.claw(
                server, ["CLAW_MCP_STDIO_PATH": "/tools", "CLAW_MCP_STDIO_MAX_BODY_BYTES": "1000"])
            try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                #expect(lodge.path == "/tools")
                let client = try await lodge.client()
                #expect(try await client.echoes())
                #expect(try await client.post(MCPClient.echo(String(repeating: "x", count: 1000))).status == 413)
            }
            try await LodgeProcess.withDoor(Self.door, environment: try CleanEnvironment.claw(server)) { lodge in
                #expect(lodge.path == "/mcp")
                let client = try await lodge.client()
                let fits = String(repeating: "x", count: (1 << 20) - MCPClient.echo("").utf8.count)
                #expect(try await client.post(MCPClient.echo(fits)).status == 200)
                #expect(try await client.post(MCPClient.echo(fits + "x")).status == 413)
            }
        }

        /// A26, A4
        @Test("the server gets the whole environment but the token, and its stderr has the predecessor's mark")
        func environment() async throws {
            let server = BuiltProducts.shell(#"echo "here I am" >&2; exec "$0" "$@""#)
            let environment = try CleanEnvironment.claw(
                server + [BuiltProducts.everything],
                [
                    "CLAW_MCP_STDIO_AUTH_TOKEN": "t", "PERPLEXITY_API_KEY": "pplx-key", "ANY_SETTING": "1",
                    "EMPTY_TOKEN": "",
                ])
            try await LodgeProcess.withDoor(Self.door, environment: environment, token: "t") { lodge in
                let client = try await lodge.client()
                let names = try await client.call("whoami").json?["result"]?["structuredContent"]?["environment"]
                let list = names?.elements?.compactMap(\.string) ?? []
                #expect(list.contains("PERPLEXITY_API_KEY"))
                #expect(list.contains("ANY_SETTING"))
                #expect(list.contains("CLAW_MCP_STDIO_COMMAND"))
                #expect(!list.contains("CLAW_MCP_STDIO_AUTH_TOKEN"))
                await lodge.log.wait(for: "mcp-stdio stderr: here I am")
                #expect(lodge.log.lines(with: "pplx-key").isEmpty)
            }
        }

        /// A30, A29
        @Test(
            "a client that does not ask for event streams gets JSON, whatever its headers",
            arguments: [
                "application/json", "text/html", nil,
            ])
        func plain(accept: String?) async throws {
            let environment = try CleanEnvironment.claw(BuiltProducts.everythingServer)
            try await LodgeProcess.withDoor(Self.door, environment: environment) { lodge in
                let client = try await lodge.client()
                // Its progress comes before its answer, and would make that a stream.
                _ = try await client.call("release", #"{"name":"a"}"#)
                let answer = try await client.post(
                    MCPClient.call("hold", #"{"name":"a"}"#, token: "5"),
                    ["Accept": accept, "Content-Type": nil, "MCP-Protocol-Version": "1999-01-01"])
                #expect(answer.status == 200)
                #expect(answer["Content-Type"] == "application/json")
                #expect(answer.text == MCPClient.text("held a"))
            }
        }

        static let refusals: [(environment: [String: String], error: String)] = [
            ([:], "CLAW_MCP_STDIO_COMMAND is not set; name the program of the MCP server"),
            (
                ["CLAW_MCP_STDIO_COMMAND": "x", "CLAW_MCP_STDIO_ARGS": "-y"],
                #"CLAW_MCP_STDIO_ARGS is not a JSON array of strings; write it like ["-y", "some-server"]"#
            ),
            (
                ["CLAW_MCP_STDIO_COMMAND": "x", "CLAW_MCP_STDIO_PATH": "mcp"],
                "CLAW_MCP_STDIO_PATH 'mcp' does not start with '/'; write it like /mcp"
            ),
        ]

        /// A2
        @Test("a wrong variable ends it with 1 and is named", arguments: refusals)
        func refused(environment: [String: String], error: String) async throws {
            let finished = try await FinishedProgram.program(BuiltProducts.lodge, Self.door, environment: environment)
            #expect(finished.status == .exited(1))
            #expect(finished.output.isEmpty)
            #expect(finished.errors == "error: " + error)
        }
    }
}
