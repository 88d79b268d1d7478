// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("--stateless", .timeLimit(.minutes(1))) struct StatelessTests {
        /// D8, D-G4
        @Test("an entry of a file that needs sessions is left out, and the others are served") func entryWithSessions()
            async throws
        {
            let echo = #"{"command": "\#(BuiltProducts.fixture)", "args": ["echo"]"#
            let config = #"{"mcpServers": {"own": \#(echo), "isolation": "client"}, "one": \#(echo)}}}"#
            try await LodgeProcess.withServe(config: config, ["--stateless"]) { lodge async throws in
                #expect(try await lodge.statusNames() == ["one"])
                await lodge.log.wait(
                    for:
                        "server 'own' has isolation client, which needs sessions; use isolation shared, or serve without "
                        + "--stateless (left out)")
            }
        }

        /// D8
        @Test("initialize opens no session, and a call needs none, whatever session it names")
        func noSession() async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.everythingServer) { lodge in
                var client = try await lodge.stranger()
                let answer = try await client.post(MCPClient.initialize())
                #expect(answer.status == 200)
                #expect(answer["Mcp-Session-Id"] == nil)
                #expect(answer.json?["result"]?["protocolVersion"] == "2025-11-25")
                #expect(try await client.post(MCPClient.initialized).status == 202)
                client.version = "2025-11-25"
                for session in [nil, "made-up", "not one"] {
                    client.session = session
                    let called = try await client.post(MCPClient.echo("hi"))
                    #expect(called.status == 200)
                    #expect(called["Mcp-Session-Id"] == nil)
                    #expect(called.text == MCPClient.text("hi"))
                }
                #expect(try await lodge.status()["sessions"] == 0)
                await lodge.log.wait(for: "stateless: there are no sessions; withheld besides: ")
            }
        }

        /// D8
        @Test("several clients share the server, and equal ids at once each get their own answer")
        func equalIDs() async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.everythingServer) { lodge in
                var clients: [MCPClient] = []
                for number in 0..<4 {
                    let client = try await lodge.stranger()
                    try await client.send(MCPClient.call("hold", #"{"name":"\#(number)"}"#))
                    clients.append(client)
                }
                #expect(try await lodge.reaches { $0["callsInFlight"] == 4 })
                let other = try await lodge.stranger()
                for number in [2, 0, 3, 1] { _ = try await other.call("release", #"{"name":"\#(number)"}"#) }
                for (number, client) in clients.enumerated() {
                    #expect(try await client.connection.response().answer == MCPClient.text("held \(number)"))
                }
            }
        }

        /// D8
        @Test("GET and DELETE are no methods of the path") func otherMethods() async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.fixture("echo")) { lodge in
                for method in ["GET", "DELETE"] {
                    let answer = try await lodge.stranger().ask(method)
                    #expect(answer.status == 405)
                    #expect(answer["Allow"] == "POST")
                }
            }
        }

        /// D8, A-G5
        @Test("a cancellation by message means no call, the end of the connection its own")
        func cancellation() async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.everythingServer) { lodge in
                let (client, leaving, other) = (
                    try await lodge.stranger(), try await lodge.stranger(), try await lodge.stranger()
                )
                try await client.send(MCPClient.call("hold", #"{"name":"mine"}"#, id: "3"))
                try await leaving.send(MCPClient.call("hold", #"{"name":"never"}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 2 })
                let told = try await other.post(
                    #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#)
                #expect(told.status == 202)
                #expect(try await lodge.status()["callsInFlight"] == 2)
                await leaving.connection.close()
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                _ = try await other.call("release", #"{"name":"mine"}"#)
                #expect(try await client.connection.response().answer == MCPClient.text("held mine", id: "3"))
                let seen = try await other.call("subscriptions").json?["result"]?["structuredContent"]
                #expect(seen?["cancelledNotifications"] == 1)
            }
        }

        static let needSessions = [
            (#""resources/subscribe","params":{"uri":"test://static-text"}"#, "resources/subscribe"),
            (#""resources/unsubscribe","params":{"uri":"test://static-text"}"#, "resources/unsubscribe"),
            (#""logging\/setLevel","params":{"level":"debug"}"#, "logging/setLevel"),
        ]

        /// D8, X4
        @Test("what would belong to a session is refused with the way out", arguments: needSessions)
        func refused(method: String, name: String) async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.everythingServer) { lodge in
                let answer = try await lodge.stranger().post(#"{"jsonrpc":"2.0","id":"q","method":\#(method)}"#)
                #expect(answer.status == 200)
                #expect(
                    answer.text == #"{"jsonrpc":"2.0","id":"q","error":{"code":-32601,"message":"#
                        + #""'\#(name)' needs a session; serve without --stateless"}}"#)
            }
        }

        /// D8, A-G13
        @Test("a batch is taken with 2025-03-26 or no version") func batch() async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.fixture("echo")) { lodge in
                var client = try await lodge.stranger()
                let batch = "[\(MCPClient.echo("one")),\(MCPClient.echo("two", id: "2"))]"
                for version in [nil, "2025-03-26"] {
                    client.version = version
                    let elements = try await client.post(batch).json?.elements
                    #expect(elements?.count == 2)
                }
                client.version = "2025-06-18"
                let refused = try await client.post(batch)
                #expect(refused.status == 400)
                #expect(
                    refused.json?["error"]?["message"]
                        == "a batch is taken only in the revision 2025-03-26; send its messages one by one")
            }
        }

        /// D8
        @Test("progress reaches the call that asked for it") func progress() async throws {
            try await LodgeProcess.withServe(["--stateless"], server: BuiltProducts.everythingServer) { lodge in
                let answer = try await lodge.stranger().call("test_tool_with_progress", token: #""mine""#)
                #expect(answer["Content-Type"] == "text/event-stream")
                #expect(answer["Mcp-Session-Id"] == nil)
                #expect(answer.messages.dropLast().allSatisfy { $0.contains(#""progressToken":"mine""#) })
                #expect(answer.messages.count > 1)
            }
        }
    }
}
