// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("initialize", .timeLimit(.minutes(1))) struct HandshakeTests {
        /// A5
        @Test("a second client gets the same answer under its own id, with another session")
        func cachedInitialize() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let first = try await lodge.stranger().post(MCPClient.initialize(id: #""a""#))
                let second = try await lodge.stranger().post(MCPClient.initialize(id: "17"))
                #expect(first.status == 200)
                #expect(second.status == 200)
                #expect(first["Content-Type"] == "application/json")
                #expect(first.text.hasPrefix(#"{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"2025-11-25","#))
                #expect(second.text == first.text.replacing(#""id":"a""#, with: #""id":17"#))
                #expect(first["Mcp-Session-Id"] != nil)
                #expect(first["Mcp-Session-Id"] != second["Mcp-Session-Id"])
                #expect(try await lodge.seen("initializeRequests") == 1)
            }
        }

        /// A6
        @Test("clients that initialize at once while the server starts reach it once")
        func concurrentInitialize() async throws {
            try await ScratchDirectory.with { scratch in
                // The first start fails, so that lodge is there before its server is.
                let server = BuiltProducts.shell(
                    "if mkdir '\(scratch.path)/began'; then exit 1; fi; sleep 0.4; exec '\(BuiltProducts.everything)'")
                try await LodgeProcess.withServe(["--restart-delays", "0.05"], server: server) { lodge in
                    await lodge.log.wait(for: "generation=2")
                    let answers = try await withThrowingTaskGroup(of: RawHTTPResponse.self) { group in
                        for _ in 0..<10 {
                            group.addTask { try await lodge.stranger().post(MCPClient.initialize()) }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(answers.map(\.status) == Array(repeating: 200, count: 10))
                    #expect(Set(answers.map { $0["Mcp-Session-Id"] }).count == 10)
                    #expect(try await lodge.seen("initializeRequests") == 1)
                }
            }
        }

        /// A7, A-G12
        @Test("an initialize that the server refuses is passed on as it is, mints no session and is not kept")
        func failedInitialize() async throws {
            try await ScratchDirectory.with { scratch in
                let server = BuiltProducts.fixture(
                    "failing-initialize", "--times", "2", "--state", "\(scratch.path)/count")
                try await LodgeProcess.withServe(server: server) { lodge in
                    // The first of the two failures was that of lodge's own start.
                    let client = try await lodge.stranger()
                    let refused = try await client.post(MCPClient.initialize(id: #""me""#))
                    #expect(refused.status == 200)
                    #expect(refused["Mcp-Session-Id"] == nil)
                    #expect(
                        refused.text == #"{"jsonrpc":"2.0","id":"me","error":{"code":-32000,"#
                            + #""message":"the database is not reachable","data":{"attempt":2}}}"#)
                    #expect(try await lodge.client().echoes())
                }
            }
        }

        /// A8
        @Test("the server is told once that it is initialized, and every client that says so gets 202")
        func initializedOnce() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                for _ in 0..<3 {
                    let client = try await lodge.client()
                    let answer = try await client.post(MCPClient.initialized)
                    #expect(answer.status == 202)
                    #expect(answer.body.isEmpty)
                    #expect(answer["Mcp-Session-Id"] == client.session)
                }
                #expect(try await lodge.seen("initializedNotifications") == 1)
            }
        }

        /// A-G11
        @Test("each client gets the version that it asks for, and an unknown one the server's")
        func versions() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let known = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
                for (asked, given) in zip(known, known) + [("2099-01-01", "2025-11-25"), ("1.0", "2025-11-25")] {
                    let answer = try await lodge.stranger().post(MCPClient.initialize(version: asked))
                    #expect(answer.json?["result"]?["protocolVersion"]?.string == given)
                }
            }
        }

        /// A-G11
        @Test("no client gets a newer version than the server speaks")
        func olderServer() async throws {
            let server = BuiltProducts.script(protocolVersion: "2025-03-26")
            try await LodgeProcess.withServe(server: server) { lodge in
                for (asked, given) in [
                    ("2025-11-25", "2025-03-26"), ("2025-03-26", "2025-03-26"), ("2024-11-05", "2024-11-05"),
                ] {
                    let answer = try await lodge.stranger().post(MCPClient.initialize(version: asked))
                    #expect(answer.json?["result"]?["protocolVersion"]?.string == given)
                }
            }
        }

        /// A-G12
        @Test("a client that comes after a restart gets the answer of the server that runs now")
        func freshAfterRestart() async throws {
            try await ScratchDirectory.with { scratch in
                let server = BuiltProducts.script(
                    before: "echo x >>'\(scratch.path)/starts'; n=$(grep -c x '\(scratch.path)/starts')",
                    serverVersion: "$n")
                try await LodgeProcess.withServe(["--restart-delays", "0.05"], server: server) { lodge in
                    let first = try await lodge.stranger().post(MCPClient.initialize())
                    #expect(first.json?["result"]?["serverInfo"]?["version"] == "1")
                    lodge.servers.first?.kill()
                    #expect(try await lodge.reaches { $0["restarts"] == 1 && $0["ready"] == true })
                    let second = try await lodge.stranger().post(MCPClient.initialize())
                    #expect(second.json?["result"]?["serverInfo"]?["version"] == "2")
                }
            }
        }

        /// X4
        @Test("an initialize without a version is refused")
        func noVersion() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.stranger()
                for params in [#","params":{}"#, #","params":{"protocolVersion":1}"#, #","params":[]"#, ""] {
                    let answer = try await client.post(#"{"jsonrpc":"2.0","id":5,"method":"initialize"\#(params)}"#)
                    #expect(answer.status == 400)
                    #expect(
                        answer.text == #"{"jsonrpc":"2.0","id":5,"error":{"code":-32602,"#
                            + #""message":"initialize needs params with a protocolVersion"}}"#)
                    #expect(answer["Mcp-Session-Id"] == nil)
                }
            }
        }
    }
}
