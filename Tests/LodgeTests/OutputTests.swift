// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeFailures {
    @Suite("a server that writes what it should not", .timeLimit(.minutes(1))) struct OutputTests {
        /// A26
        @Test("lines that are no messages are ignored and logged, blank ones not even that") func garbage() async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("chatty", "--garbage")) { lodge in
                let client = try await lodge.client()
                for round in 1...3 { #expect(try await client.echoes("round \(round)")) }
                let strays = lodge.log.lines(with: "line of the server that is no message")
                #expect(strays.contains { $0.hasSuffix(#"line="Starting up..." server=fixtureserver"#) })
                #expect(strays.contains { $0.contains(#"line=true "#) })
                // An escape sequence must not reach the terminal of whoever reads the log.
                #expect(lodge.log.lines.allSatisfy { !$0.contains("\u{1B}") })
                #expect(!strays.contains { $0.contains(#"line="" "#) || $0.contains("line=\"   \"") })
            }
        }

        /// A26
        @Test("lines of its standard error stand in the log under its name") func standardError() async throws {
            try await LodgeProcess.withServe(
                ["--restart-delays", "30", "--name", "talker"],
                server: BuiltProducts.shell("echo 'a word, and more' >&2; exec '\(BuiltProducts.fixture)' echo")
            ) { lodge in
                await lodge.log.wait(for: "a word, and more")
                #expect(
                    lodge.log.lines(with: "a word, and more").first?
                        .hasSuffix(#"info lodge: stderr line="a word, and more" server=talker"#) == true)
            }
        }

        /// A26
        @Test("with --log-format json each line of the log is one object") func jsonLog() async throws {
            try await LodgeProcess.withServe(
                ["--log-format", "json"],
                server: BuiltProducts.shell("echo 'say \"hi\"' >&2; exec '\(BuiltProducts.fixture)' echo")
            ) { lodge in
                await lodge.log.wait(for: "stderr")
                let line = try #require(lodge.log.lines(with: "stderr").first)
                let entry = try JSONValue.parse(Array(line.utf8))
                #expect(entry["level"] == "info")
                #expect(entry["message"] == "stderr")
                #expect(entry["line"] == #"say "hi""#)
                #expect(entry["server"] == "sh")
            }
        }

        /// A-G7
        @Test("a flood on standard error, before and during a call, stops nothing") func flood() async throws {
            try await LodgeProcess.withServe(
                server: BuiltProducts.fixture("chatty", "--stderr-flood", "3000000")
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("flood", #"{"bytes":3000000}"#)
                #expect(answer.text == MCPClient.text("flooded"))
                #expect(try await client.echoes())
            }
        }

        static let unreadable: [(tool: String, problem: String)] = [
            ("invalid_utf8", "a message that cannot be read: the message is not UTF-8 (byte "),
            ("nul_bytes", "a message that cannot be read: the message is not JSON (byte "),
        ]

        /// A26, X2
        @Test("an answer that cannot be read fails its own call and no other", arguments: unreadable)
        func unreadableAnswer(tool: String, problem: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("chatty")) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call(tool, id: #""u""#)
                #expect(answer.status == 200)
                #expect(
                    answer.text.hasPrefix(
                        #"{"jsonrpc":"2.0","id":"u","error":{"code":-32000,"message":"server 'fixtureserver' answered with "#
                            + problem))
                #expect(answer.json?["error"]?["data"]?["reason"] == "unusable-answer")
                #expect(try await client.echoes())
            }
        }

        /// A26
        @Test("carriage returns between its tokens do no harm") func carriageReturns() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("chatty")) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("carriage_returns", token: "1")
                #expect(answer.json?["result"]?["content"]?.elements?.first?["text"] == "carriage returns")
            }
        }

        /// X2
        @Test("an answer that is nested too deep fails its own call") func deepAnswer() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("hostile", "--calm")) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("deep")
                #expect(answer.json?["error"]?["data"]?["reason"] == "unusable-answer")
                #expect(answer.text.contains("the message is nested deeper than 512 levels"))
                #expect(try await client.echoes())
            }
        }

        /// X3
        @Test("an answer with two ids is nobody's and fails the call it might be for") func twoIDs() async throws {
            // The time limit of a call is that of the standard, so that only the answer itself can fail it in time.
            try await LodgeProcess.withServe(
                server: BuiltProducts.fixture("hostile", "--calm", "--duplicate-id-member")
            ) { lodge in
                let client = try await lodge.client()
                let answer = try await client.post(MCPClient.echo("hi"))
                #expect(answer.status == 200)
                #expect(answer.json?["error"]?["code"] == -32000)
                #expect(answer.json?["error"]?["data"]?["reason"] == "unusable-answer")
                #expect(answer.text.contains("the message has the member 'id' twice"))
                #expect(try await lodge.status()["callsInFlight"] == 0)
            }
        }

        /// A24, X3, A-G6
        @Test("forged answers, progress and requests of a server reach no client") func forgeries() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("hostile")) { lodge in
                let (one, two) = (try await lodge.client(), try await lodge.client())
                var stream = try await lodge.stranger()
                stream.session = one.session
                try await stream.openStream()
                for round in 0..<20 {
                    // Its forgeries name the tickets around the one it was asked under, so both have to be in flight.
                    try await one.send(MCPClient.call("echo", #"{"message":"one \#(round)"}"#, id: "1", token: "1"))
                    try await two.send(MCPClient.call("echo", #"{"message":"two \#(round)"}"#, id: "1", token: "1"))
                    for (client, name) in [(one, "one"), (two, "two")] {
                        let answer = try await client.connection.response()
                        let messages = answer["Content-Type"] == "application/json" ? [answer.text] : answer.messages
                        // A forged answer under the other's ticket cannot be told from a real one; lodge promises only
                        // that a message of one call comes to that call's caller.
                        #expect(
                            messages.last == MCPClient.text("\(name) \(round)")
                                || messages.last == MCPClient.text("forged"))
                        #expect(messages.dropLast().allSatisfy { $0.contains(#""progressToken":1,"#) })
                    }
                }
                await lodge.log.wait(for: "request of the server refused", times: 3)
                let refused = lodge.log.lines(with: "request of the server refused").compactMap {
                    $0.firstMatch(of: /method=([a-z\/A-Z]+)/).map { String($0.1) }
                }
                #expect(refused.sorted() == ["elicitation/create", "roots/list", "sampling/createMessage"])
                #expect((try await lodge.status()["unknownAnswers"]?.integer ?? 0) > 0)
                #expect(try await lodge.status()["callsInFlight"] == 0)
            }
        }
    }
}
