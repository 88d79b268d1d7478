// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("notifications of servers", .timeLimit(.minutes(1))) struct ProgressTests {
        /// A-G4
        @Test("progress comes before the answer, under the caller's own token", arguments: ["1", #""t""#, "0", "1.50"])
        func progress(token: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("progress", #"{"steps":2,"label":"me"}"#, id: #""c""#, token: token)
                #expect(answer["Content-Type"] == "text/event-stream")
                #expect(answer["Cache-Control"] == "no-cache, no-transform")
                let notice =
                    #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(token),"progress":"#
                #expect(
                    answer.messages == [
                        notice + #"1,"total":2,"message":"me"}}"#, notice + #"2,"total":2,"message":"me"}}"#,
                        MCPClient.text("me", id: #""c""#),
                    ])
            }
        }

        /// A-G4
        @Test("a call without a token gets no progress, and a plain answer") func noToken() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let answer = try await lodge.client().call("progress", #"{"steps":2,"label":"me"}"#)
                #expect(answer["Content-Type"] == "application/json")
                #expect(answer.text == MCPClient.text("me"))
            }
        }

        /// A-G4
        @Test("a changed list is told to every session's stream once") func listChanged() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let caller = try await lodge.client()
                var streams: [MCPClient] = []
                for _ in 0..<3 {
                    let stream = try await lodge.client()
                    try await stream.openStream()
                    streams.append(stream)
                }
                for item in ["tool", "prompt", "resource"] { _ = try await caller.call("test_trigger_\(item)_change") }
                for stream in streams {
                    for list in ["tools", "prompts", "resources"] {
                        let notice = try await stream.connection.message()
                        #expect(notice?.data == #"{"jsonrpc":"2.0","method":"notifications/\#(list)/list_changed"}"#)
                    }
                }
            }
        }

        /// A-G4
        @Test("a changed resource is told to its subscribers alone, and the server has one subscription for all")
        func subscriptions() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let (one, two, other) = (try await lodge.client(), try await lodge.client(), try await lodge.client())
                let uri = "test://watched-resource"
                for client in [one, two, other] {
                    var stream = try await lodge.stranger()
                    stream.session = client.session
                    try await stream.openStream()
                    guard client.session != other.session else { continue }
                    #expect(
                        try await client.post(
                            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"\#(uri)"}}"#
                        ).text
                            == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
                    _ = try await client.call("notify_resource_updated", #"{"uri":"\#(uri)"}"#)
                    #expect(
                        try await stream.connection.message()?.data
                            == #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"\#(uri)"}}"#
                    )
                }
                #expect(try await lodge.seen("subscribeRequests") == 1)
                for (client, left) in [(one, JSONValue.array([.string(uri)])), (two, .array([]))] {
                    _ = try await client.post(
                        #"{"jsonrpc":"2.0","id":2,"method":"resources/unsubscribe","params":{"uri":"\#(uri)"}}"#)
                    #expect(try await lodge.seen("subscribed") == left)
                }
                #expect(try await lodge.seen("unsubscribeRequests") == 1)
            }
        }

        /// A-G4
        @Test("a stream that saw nothing of a resource got nothing of it") func notSubscribed() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let (subscriber, other) = (try await lodge.client(), try await lodge.client())
                var stream = try await lodge.stranger()
                stream.session = other.session
                try await stream.openStream()
                _ = try await subscriber.post(
                    #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"test://watched-resource"}}"#
                )
                _ = try await subscriber.call("notify_resource_updated", #"{"uri":"test://watched-resource"}"#)
                // Whatever was sent before this notice would have come before it.
                _ = try await subscriber.call("test_trigger_tool_change")
                let notice = try await stream.connection.message()
                #expect(notice?.data == #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
            }
        }

        /// A-G4
        @Test("a log message of a shared server goes to lodge's log and to no client") func logMessage() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let client = try await lodge.client()
                var stream = try await lodge.stranger()
                stream.session = client.session
                try await stream.openStream()
                let answer = try await client.call(
                    "log", #"{"level":"error","message":"a word for the log"}"#, token: "1")
                #expect(answer.text == MCPClient.text("logged"))
                await lodge.log.wait(for: "a word for the log")
                _ = try await client.call("test_trigger_tool_change")
                #expect(
                    try await stream.connection.message()?.data
                        == #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
            }
        }
    }
}
