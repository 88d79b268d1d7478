// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("sessions", .timeLimit(.minutes(1))) struct SessionTests {
        static let unknown =
            #"{"code":-32001,"message":"unknown session; send initialize to open a new one"}"#

        /// A9
        @Test(
            "a request with an unknown session gets 404 and an error under its id", arguments: ["1", #""x""#, "1.50"])
        func unknownSession(id: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                var client = try await lodge.client()
                client.session = "AXmgH1e7mOelS2uOxcR"
                let answer = try await client.post(MCPClient.echo("hi", id: id))
                #expect(answer.status == 404)
                #expect(answer.text == #"{"jsonrpc":"2.0","id":\#(id),"error":\#(Self.unknown)}"#)
                #expect(answer["Mcp-Session-Id"] == nil)
            }
        }

        /// A9, A-G3
        @Test("a request without a session gets 400 and an error under its id") func noSession() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let answer = try await lodge.stranger().post(MCPClient.echo("hi", id: #""q""#))
                #expect(answer.status == 400)
                #expect(
                    answer.text == #"{"jsonrpc":"2.0","id":"q","error":{"code":-32600,"message":"#
                        + #""the request names no session; send initialize first and repeat its Mcp-Session-Id"}}"#)
            }
        }

        /// A10
        @Test("the session is named in every answer inside it") func echoedSession() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.client()
                let answers = [
                    try await client.post(MCPClient.echo("hi")),
                    try await client.post(#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#),
                    try await client.post(#"{"jsonrpc":"2.0","id":3,"method":"nobody/knows"}"#),
                    try await client.post(#"{"jsonrpc":"2.0","method":"notifications/other"}"#),
                    try await client.post(#"{"jsonrpc":"2.0","id":99,"result":{}}"#),
                    try await client.call("test_tool_with_progress", token: "1"),
                ]
                #expect(answers.map(\.status) == [200, 200, 200, 202, 202, 200])
                #expect(answers.map { $0["Mcp-Session-Id"] } == Array(repeating: client.session, count: 6))
                #expect(answers[5]["Content-Type"] == "text/event-stream")
            }
        }

        /// A-G3
        @Test("a session that was deleted is gone, and only that one") func delete() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                let other = try await lodge.client()
                let deleted = try await client.ask("DELETE")
                #expect(deleted.status == 200)
                #expect(deleted.body.isEmpty)
                let answer = try await client.post(MCPClient.echo("hi", id: "4"))
                #expect(answer.status == 404)
                #expect(answer.text == #"{"jsonrpc":"2.0","id":4,"error":\#(Self.unknown)}"#)
                #expect(try await client.ask("DELETE").status == 404)
                #expect(try await client.ask("GET").status == 404)
                #expect(try await other.echoes())
                #expect(try await lodge.status()["sessions"] == 1)
            }
        }

        /// A-G3
        @Test("calls in flight are answered when their session is deleted") func deleteWithCalls() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("slow")) { lodge in
                let client = try await lodge.client()
                var second = try await lodge.stranger()
                (second.session, second.version) = (client.session, client.version)
                try await client.send(MCPClient.call("wait", #"{"ms":60000}"#, id: "9"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                #expect(try await second.ask("DELETE").status == 200)
                #expect(
                    try await client.connection.response().text == #"{"jsonrpc":"2.0","id":9,"error":{"code":-32000,"#
                        + #""message":"the session with server 'fixtureserver' was ended","data":{"server":"fixtureserver","#
                        + #""reason":"session-ended","hint":"initialize a new session"}}}"#)
                #expect(try await lodge.status()["callsInFlight"] == 0)
            }
        }

        /// A-G3
        @Test("an id that lodge did not sign is no session") func forgedSession() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                var client = try await lodge.client()
                let session = try #require(client.session)
                for forged in [
                    String(session.dropLast()), session + "A", String(session.reversed()), session.lowercased(),
                ] {
                    client.session = forged
                    #expect(try await client.post(MCPClient.echo("hi")).status == 404)
                }
                client.session = session
                #expect(try await client.echoes())
            }
        }

        /// A-G3
        @Test("a session of another lodge is no session") func foreignSession() async throws {
            try await LodgeProcess.withServe(["--auth", "none"], server: BuiltProducts.fixture("echo")) { lodge in
                let session = try await lodge.client().session
                try await LodgeProcess.withServe(["--auth", "none"], server: BuiltProducts.fixture("echo")) { other in
                    var client = try await other.client()
                    client.session = session
                    #expect(try await client.post(MCPClient.echo("hi")).status == 404)
                }
            }
        }

        /// A-G3
        @Test("a second stream of a session takes the place of the first") func replacedStream() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.client()
                var (first, second) = (try await lodge.stranger(), try await lodge.stranger())
                (first.session, second.session) = (client.session, client.session)
                try await first.openStream()
                try await second.openStream()
                #expect(try await first.connection.message() == nil)
                _ = try await client.call("test_trigger_tool_change")
                let notice = try await second.connection.message()
                #expect(notice?.data == #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
            }
        }

        /// A-G3
        @Test("a connection whose stream ended takes further requests") func connectionAfterStream() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.client()
                var other = try await lodge.stranger()
                (other.session, other.version) = (client.session, client.version)
                try await client.openStream()
                try await other.openStream()
                #expect(try await client.connection.message() == nil)
                #expect(try await client.echoes())
            }
        }
    }
}
