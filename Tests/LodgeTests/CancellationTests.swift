// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("calls that are given up", .timeLimit(.minutes(1))) struct CancellationTests {
        /// A-G5
        @Test("a cancelled call ends at the server, and the client's other call with that id elsewhere goes on")
        func cancelled() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let (client, other) = (try await lodge.client(), try await lodge.client())
                var sibling = try await lodge.stranger()
                (sibling.session, sibling.version) = (client.session, client.version)
                try await client.send(MCPClient.call("slow", #"{"seconds":50}"#, id: "3"))
                try await other.send(MCPClient.call("hold", #"{"name":"other"}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 2 })
                let told = try await sibling.post(
                    #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3,"reason":"no need"}}"#
                )
                #expect(told.status == 202)
                #expect(
                    try await client.connection.response().text
                        == #"{"jsonrpc":"2.0","id":3,"error":{"code":-32000,"message":"the call was cancelled by its client","#
                        + #""data":{"server":"everythingserver","reason":"cancelled","#
                        + #""hint":"call again if you want the answer after all"}}}"#)
                _ = try await sibling.call("release", #"{"name":"other"}"#)
                #expect(try await other.connection.response().text == MCPClient.text("held other", id: "3"))
                #expect(try await lodge.seen("cancelledNotifications") == 1)
            }
        }

        /// A-G5, X3
        @Test("a client cannot cancel another client's call") func foreignCancel() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let (client, other) = (try await lodge.client(), try await lodge.client())
                try await client.send(MCPClient.call("hold", #"{"name":"mine"}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                for id in ["3", "1", "2", "4", "5"] {
                    let told = try await other.post(
                        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#)
                    #expect(told.status == 202)
                }
                _ = try await other.call("release", #"{"name":"mine"}"#)
                #expect(try await client.connection.response().text == MCPClient.text("held mine", id: "3"))
                #expect(try await lodge.seen("cancelledNotifications") == 0)
            }
        }

        /// A24, A-G5
        @Test("a call that takes too long gets an error that names the limit, and the server is told")
        func timeout() async throws {
            try await LodgeProcess.withServe(
                ["--call-timeout", "2"], server: BuiltProducts.everythingServer
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("slow", #"{"seconds":50}"#, id: #""s""#)
                #expect(answer.status == 200)
                #expect(answer.text == Self.timedOut("2 s without progress", server: "everythingserver", id: #""s""#))
                #expect(try await lodge.seen("cancelledNotifications") == 1)
                #expect(try await client.echoes())
            }
        }

        /// A24, A-G5
        @Test("a call times out in client isolation as well") func timeoutInClientIsolation() async throws {
            try await LodgeProcess.withServe(
                ["--call-timeout", "2", "--isolation", "client"], server: BuiltProducts.everythingServer
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("slow", #"{"seconds":50}"#, id: #""s""#)
                #expect(answer.text == Self.timedOut("2 s without progress", server: "everythingserver", id: #""s""#))
                #expect(try await client.echoes())
            }
        }

        /// A-G5
        @Test("progress keeps a call alive beyond its limit") func progressExtends() async throws {
            try await LodgeProcess.withServe(
                ["--call-timeout", "3"], server: BuiltProducts.everythingServer
            ) { lodge in
                let answer = try await lodge.client().call("slow", #"{"seconds":5}"#, token: "1")
                #expect(answer.messages.count == 11)
                #expect(answer.messages.last == MCPClient.text("waited"))
            }
        }

        /// A-G5
        @Test("progress does not keep a call alive beyond the absolute limit") func absoluteTimeout() async throws {
            try await LodgeProcess.withServe(
                ["--call-timeout-absolute", "2"], server: BuiltProducts.everythingServer
            ) { lodge in
                let answer = try await lodge.client().call("hold", #"{"name":"mine"}"#, token: "1")
                #expect(answer.messages.last == Self.timedOut("2 s in all", server: "everythingserver", id: "1"))
            }
        }

        /// A24
        @Test("a late answer is dropped and counted, and so is one to an unknown id, each on its own")
        func lateAnswer() async throws {
            try await LodgeProcess.withServe(
                ["--call-timeout", "2"], server: BuiltProducts.fixture("slow", "--ignore-cancel")
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("hold", #"{"name":"late"}"#, id: "1")
                _ = try await client.call("release", #"{"name":"late"}"#)
                #expect(answer.text == Self.timedOut("2 s without progress", server: "fixtureserver", id: "1"))
                await lodge.log.wait(for: "late answer dropped")
                let status = try await lodge.status()
                #expect(status["lateAnswers"] == 1)
                #expect(status["unknownAnswers"] == 0)
                #expect(try await client.echoes())
            }
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("chatty")) { lodge in
                let client = try await lodge.client()
                #expect(try await client.call("unknown_ids").text == MCPClient.text("mine"))
                await lodge.log.wait(for: "answer to an unknown id dropped", times: 6)
                let status = try await lodge.status()
                #expect(status["lateAnswers"] == 0)
                #expect(status["unknownAnswers"] == 6)
            }
        }

        /// A25, A-G5
        @Test("a client that leaves frees its call, and the server is told") func disconnect() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                for breaks in [true, false] {
                    let client = try await lodge.client()
                    try await client.send(MCPClient.call("slow", #"{"seconds":50}"#))
                    #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                    if breaks { try await client.connection.reset() } else { await client.connection.close() }
                    #expect(try await lodge.reaches { $0["callsInFlight"] == 0 })
                }
                #expect(try await lodge.seen("cancelledNotifications") == 2)
            }
        }

        static func timedOut(_ limit: String, server: String, id: String) -> String {
            #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32000,"message":"server '\#(server)' did not answer within "#
                + #"\#(limit)","data":{"server":"\#(server)","reason":"timed-out","#
                + #""hint":"the server was told to cancel the call; --call-timeout sets the limit"}}}"#
        }
    }
}
