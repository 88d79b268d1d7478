// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("messages that can be read in two ways", .timeLimit(.minutes(1))) struct AmbiguityTests {
        /// What a decoder that ignores the case of names would read otherwise, and the member that is named in the refusal.
        static let requests = [
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hit","arguments":{"label":"x"}},"ID":2}"#,
                "id"
            ),
            (#"{"jsonrpc":"2.0","id":1,"method":"x/y","Method":"tasks/list"}"#, "method"),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"hit"},"param\u017f":{"name":"hit"}}"#,
                "params"
            ),
            (
                #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"progress","arguments":{"steps":1,"label":"x"},"#
                    + #""_meta":{"progressToken":1,"ProgressToken":2}}}"#, "params._meta.progressToken"
            ),
        ]

        /// X3
        @Test("a request with a name in another case is refused and does not reach the server", arguments: requests)
        func refused(request: String, member: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let client = try await lodge.client()
                let answer = try await client.post(request)
                #expect(answer.status == 200)
                #expect(
                    answer.text
                        == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"'\#(member)' can be read in "#
                        + #"two ways; write it once, in its own case"}}"#)
                #expect(try await client.call("count").json?["result"]?["structuredContent"]?["total"] == 0)
            }
        }

        /// X3, A-G5
        @Test("a cancellation and a hidden call with a name in another case reach nobody") func notifications()
            async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let (client, other) = (try await lodge.client(), try await lodge.client())
                try await client.send(MCPClient.call("hold", #"{"name":"mine"}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                try await other.send(MCPClient.call("hold", #"{"name":"other"}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 2 })
                let sibling = try await lodge.client()
                for told in [
                    #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3,"RequestId":2}}"#,
                    #"{"jsonrpc":"2.0","method":"notifications/x","Method":"notifications/cancelled","params":{"requestId":2}}"#,
                ] {
                    #expect(try await sibling.post(told).status == 202)
                }
                for (name, waiting) in [("mine", client), ("other", other)] {
                    _ = try await sibling.call("release", #"{"name":"\#(name)"}"#)
                    #expect(try await waiting.connection.response().text == MCPClient.text("held \(name)", id: "3"))
                }
                #expect(try await lodge.seen("cancelledNotifications") == 0)
            }
        }
    }
}
