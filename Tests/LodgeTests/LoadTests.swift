// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

extension ServeLoad {
    @Suite("many clients", .timeLimit(.minutes(3))) struct LoadTests {
        static let clients = 50
        static let callsEach = 400
        static let burst = 20

        /// X3, A12, A-G4
        @Test("50 clients with the same ids and tokens each get their own answers and progress, 20,000 of them")
        func sameIDsAndTokens() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let wrong = try await withThrowingTaskGroup(of: [String].self) { group in
                    for number in 0..<Self.clients {
                        group.addTask { try await Self.calls(of: number, lodge) }
                    }
                    return try await group.reduce(into: []) { $0 += $1 }
                }
                #expect(wrong.count == 0, "such as \(wrong.prefix(3))")
                let total = try await lodge.client().call("count").json?["result"]?["structuredContent"]?["total"]
                #expect(total == .number(.init(Int64(Self.clients * Self.callsEach))))
                let status = try await lodge.status()
                #expect(status["callsInFlight"] == 0)
                #expect(status["unknownAnswers"] == 0)
                #expect(status["lateAnswers"] == 0)
            }
        }

        /// One client's calls, in bursts of pipelined requests with ids from 1 on and tokens from 1 on; answers what
        /// came back and was not its own.
        private static func calls(of number: Int, _ lodge: LodgeProcess) async throws -> [String] {
            let client = try await lodge.client()
            var wrong: [String] = []
            for round in 0..<callsEach / burst {
                var bytes = ByteBuffer()
                for id in 1...burst {
                    // Every fourth call asks for progress; the label is what tells whose it is.
                    let steps = id % 4 == 0 ? 2 : 0
                    bytes.writeImmutableBuffer(
                        client.request(
                            "POST",
                            body: Array(
                                MCPClient.call(
                                    "progress", #"{"steps":\#(steps),"label":"\#(number)/\#(round)/\#(id)"}"#,
                                    id: "\(id)",
                                    token: "\(id)"
                                ).utf8)))
                }
                try await client.connection.send(bytes)
                for id in 1...burst {
                    let label = "\(number)/\(round)/\(id)"
                    let answer = try await client.connection.response()
                    let isStream = answer["Content-Type"] == "text/event-stream"
                    if (isStream ? answer.messages : [answer.text]) != expected(label, id: id) {
                        wrong.append("\(label): \(answer.text)")
                    }
                }
            }
            await client.connection.close()
            return wrong
        }

        private static func expected(_ label: String, id: Int) -> [String] {
            (id % 4 == 0 ? [1, 2] : []).map { step in
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(id),"progress":\#(step),"total":2,"message":"\#(label)"}}"#
            } + [MCPClient.text(label, id: "\(id)")]
        }

        /// A20, A22, X2
        @Test("100 calls in flight all get the reason when the server is killed, and their sessions go on")
        func killedUnderLoad() async throws {
            try await LodgeProcess.withServe(
                ["--restart-delays", "0.05"], server: BuiltProducts.fixture("slow")
            ) { lodge in
                var clients: [MCPClient] = []
                for _ in 0..<100 {
                    let client = try await lodge.client()
                    try await client.send(MCPClient.call("wait", #"{"ms":120000}"#, id: "42"))
                    clients.append(client)
                }
                #expect(try await lodge.reaches { $0["callsInFlight"] == 100 })
                lodge.servers.first?.kill()
                for client in clients {
                    let answer = try await client.connection.response()
                    #expect(answer.status == 200)
                    #expect(
                        answer.text
                            == ServeFailures.Failure.ended(
                                "was ended by signal 9 (SIGKILL)", id: "42", more: #","signal":"SIGKILL""#))
                }
                for client in clients { #expect(try await client.echoes()) }
                let status = try await lodge.status()
                #expect(status["callsInFlight"] == 0)
                #expect(status["sessions"] == 100)
                #expect(status["restarts"] == 1)
            }
        }

        /// A-G7, A27
        @Test("a line of 100 MB fails its own call, while others go on and lodge stays alive") func hugeLine()
            async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("chatty")) { lodge in
                let (client, other) = (try await lodge.client(), try await lodge.client())
                let probe = try await lodge.stranger()
                try await client.send(MCPClient.call("huge", id: #""h""#))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                #expect(try await probe.ask("GET", "/healthz").status == 200)
                #expect(try await other.echoes())
                let answer = try await client.connection.response()
                #expect(answer.status == 200)
                #expect(
                    answer.answer
                        == #"{"jsonrpc":"2.0","id":"h","error":{"code":-32000,"message":"server 'fixtureserver' "#
                        + #"answered with a line over the limit of 64 MiB","data":{"server":"fixtureserver","#
                        + #""reason":"unusable-answer","hint":"the answer was dropped; this is a fault of the server"}}}"#
                )
                #expect(try await client.echoes())
                #expect(try await lodge.status()["restarts"] == 0)
            }
        }

        /// A-G7, X2
        @Test("a server that does not read its input lets no call hang and nothing else suffer") func unreadInput()
            async throws
        {
            try await LodgeProcess.withServe(
                ["--call-timeout", "4"], server: BuiltProducts.fixture("hostile", "--calm", "--no-read")
            ) { lodge in
                let client = try await lodge.client()
                let probe = try await lodge.stranger()
                let message = MCPClient.echo(String(repeating: "x", count: (4 << 20) - 200))
                var waiting: [MCPClient] = []
                for _ in 0..<18 {
                    var one = try await lodge.stranger()
                    (one.session, one.version) = (client.session, client.version)
                    try await one.send(message)
                    waiting.append(one)
                }
                #expect(try await probe.ask("GET", "/healthz").status == 200)
                var reasons: [String: Int] = [:]
                for one in waiting {
                    let answer = try await one.connection.response()
                    #expect(answer.status == 200)
                    reasons[answer.json?["error"]?["data"]?["reason"]?.string ?? answer.text, default: 0] += 1
                }
                #expect(Set(reasons.keys) == ["timed-out", "not-reading"])
                #expect(try await lodge.status()["callsInFlight"] == 0)
            }
        }
    }
}
