// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    @Suite("isolation call", .timeLimit(.minutes(1))) struct CallIsolationTests {
        private static func withServe(
            _ options: [String] = [], server: [String] = BuiltProducts.everythingServer,
            _ body: (LodgeProcess) async throws -> Void
        ) async throws {
            try await LodgeProcess.withServe(["--isolation", "call"] + options, server: server, body)
        }

        @Test("each call has a process of its own, of which nothing is left") func ownProcesses() async throws {
            try await Self.withServe { lodge in
                let catalog = lodge.servers.map { Int64($0.pid) }
                let client = try await lodge.client()
                var pids: Set<Int64?> = []
                for _ in 0..<3 { pids.insert(try await client.processID()) }
                #expect(pids.count == 3)
                #expect(pids.isDisjoint(with: catalog))
                #expect(await eventually { lodge.servers.map { Int64($0.pid) } == catalog })
                #expect(try await lodge.reaches { $0["upstreams"] == 1 && $0["callsInFlight"] == 0 })
            }
        }

        @Test("without sessions as well") func stateless() async throws {
            try await Self.withServe(["--stateless"]) { lodge in
                let client = try await lodge.stranger()
                let pids = [try await client.processID(), try await client.processID()]
                #expect(pids[0] != nil)
                #expect(pids[0] != pids[1])
            }
        }

        @Test("what a call does to its server is gone with it") func state() async throws {
            try await Self.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let client = try await lodge.client()
                _ = try await client.call("hit", #"{"label":"x"}"#)
                #expect(try await client.call("count").json?["result"]?["structuredContent"]?["total"] == 0)
            }
        }

        @Test("the server is declared what the client can do, and gets its log level") func handshake() async throws {
            try await Self.withServe { lodge in
                let client = try await lodge.client(
                    version: "2025-06-18", capabilities: ClientIsolationTests.capabilities)
                let level = #"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"error"}}"#
                #expect(try await client.post(level).status == 200)
                let seen = try await client.call("subscriptions").json?["result"]?["structuredContent"]
                #expect(seen?["initializeRequests"] == 1)
                #expect(seen?["level"] == "error")
                #expect(seen?["clientInfo"]?["name"] == "lodge")
                #expect(
                    seen?["clientCapabilities"] == [
                        "sampling": [:], "roots": ["listChanged": true], "elicitation": [:],
                    ])
            }
        }

        @Test(
            "a question of the server reaches its client during the call, and the answer reaches the server",
            arguments: ClientIsolationTests.questions)
        func question(tool: String, arguments: String, method: String, answer: String, result: String) async throws {
            try await Self.withServe { lodge in
                let client = try await lodge.client(capabilities: ClientIsolationTests.capabilities)
                let thief = try await lodge.client(capabilities: ClientIsolationTests.capabilities)
                guard method != "ping" else {
                    #expect(try await client.call(tool, arguments).text == MCPClient.text(result))
                    return
                }
                try await client.send(MCPClient.call(tool, arguments))
                #expect(try await client.connection.head()["Content-Type"] == "text/event-stream")
                let event = try #require(try await client.connection.message()?.data)
                let question = try JSONValue.parse(Array(event.utf8))
                #expect(question["method"]?.string == method)
                let id = try #require(question["id"]?.integer)
                let text = #"{"jsonrpc":"2.0","id":\#(id),"result":\#(answer)}"#
                #expect(try await thief.post(text.replacing("hi there", with: "stolen")).status == 202)
                var other = try await lodge.stranger()
                (other.session, other.version) = (client.session, client.version)
                #expect(try await other.post(text).status == 202)
                #expect(try await client.connection.message()?.data == MCPClient.text(result))
            }
        }

        @Test("log messages go to the call that they belong to") func logMessages() async throws {
            try await Self.withServe { lodge in
                let answer = try await lodge.client().call("log", #"{"level":"error","message":"for one"}"#)
                #expect(answer.messages.count == 2)
                #expect(answer.messages.first?.contains(#""data":"for one""#) == true)
                #expect(answer.messages.last == MCPClient.text("logged"))
            }
        }

        @Test("a call that is cancelled, abandoned or too slow takes its process with it") func givenUp() async throws {
            try await Self.withServe(["--call-timeout", "3"]) { lodge in
                let catalog = lodge.servers.map { Int64($0.pid) }
                func isGone() async -> Bool { await eventually { lodge.servers.map { Int64($0.pid) } == catalog } }
                let client = try await lodge.client()
                var sibling = try await lodge.stranger()
                (sibling.session, sibling.version) = (client.session, client.version)
                try await client.send(MCPClient.call("hold", #"{"name":"a"}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                _ = try await sibling.post(
                    #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#)
                #expect(try await client.connection.response().text.contains("the call was cancelled by its client"))
                #expect(await isGone())
                let leaving = try await lodge.client()
                try await leaving.send(MCPClient.call("hold", #"{"name":"b"}"#))
                #expect(await eventually { lodge.servers.count == 2 })
                try await leaving.connection.reset()
                #expect(await isGone())
                let slow = try await client.call("slow", #"{"seconds":50}"#)
                #expect(slow.text.contains("did not answer within 3 s without progress"))
                #expect(await isGone())
            }
        }

        @Test("a server that ends during a call fails that call with its last words, and the next one works")
        func crash() async throws {
            try await ScratchDirectory.with { scratch in
                let server = BuiltProducts.fixture(
                    "crashing", "--at", "during-call", "--once", "\(scratch.path)/crashed")
                try await Self.withServe(server: server) { lodge in
                    let client = try await lodge.client()
                    let failed = try await client.post(MCPClient.echo("x"))
                    #expect(failed.status == 200)
                    #expect(failed.text.contains("ended with exit status 3 before it answered"))
                    #expect(failed.text.contains("crashing: this is the end, at during-call"))
                    #expect(try await client.echoes())
                    #expect(try await lodge.status()["restarts"] == 0)
                }
            }
        }

        @Test("more calls than there may be are told so, and there is room again when one ends") func cap()
            async throws
        {
            try await Self.withServe { lodge in
                var clients: [MCPClient] = []
                for index in 0..<32 {
                    let client = try await lodge.client()
                    try await client.send(MCPClient.call("hold", #"{"name":"h\#(index)"}"#))
                    clients.append(client)
                }
                #expect(try await lodge.reaches { $0["callsInFlight"] == 32 })
                let late = try await lodge.client()
                #expect(
                    try await late.post(MCPClient.echo("x", id: #""late""#)).text
                        == #"{"jsonrpc":"2.0","id":"late","error":{"code":-32000,"#
                        + #""message":"every process of server 'everythingserver' is in use; wait until a call ends","#
                        + #""data":{"server":"everythingserver","reason":"full","#
                        + #""hint":"the call did not reach the server; call again","retryAfterMs":1000}}}"#)
                #expect(await eventually { lodge.servers.count == 33 })
                try await clients[7].connection.reset()
                #expect(try await lodge.reaches { $0["upstreams"] == 32 })
                #expect(try await late.echoes())
            }
        }
    }
}
