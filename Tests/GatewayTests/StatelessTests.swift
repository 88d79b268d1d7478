// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Testing

@testable import Gateway

@Suite("Without sessions", .timeLimit(.minutes(1)))
struct StatelessTests {
    private let relay = FakeRelay(isStateless: true) { message, _ in
        #expect(message.session == nil)
        #expect(message.isStateless)
        return nil
    }

    @Test("a session that the client names is not looked at, and none is named in the answer")
    func ignoredSession() async throws {
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                for session in ["s-1", "not a session id", ""] {
                    try await client.send(post(call(1), [("Mcp-Session-Id", session)]))
                    await relay.nextCall().answer()
                    let answer = try await client.response()
                    #expect(answer.status == 200)
                    #expect(answer["Mcp-Session-Id"] == nil)
                    #expect(answer.text == result(1))
                }
            }
        }
    }

    @Test("what belongs to a session is no method of the path", arguments: ["GET", "DELETE", "PUT"])
    func wrongMethod(method: String) async throws {
        try await GatewayFixture.run([relay]) { gateway in
            let fields = [("Host", "localhost"), ("Accept", "text/event-stream"), ("Mcp-Session-Id", "s-1")]
            let answer = try await gateway.respond(to: request(method, "/mcp", fields))
            #expect(answer.status == 405)
            #expect(answer["Allow"] == "POST")
            #expect(answer.text == failure(-32600, "the method is not one of this path; use POST"))
        }
    }

    @Test("a preflight is told the one method")
    func options() async throws {
        try await GatewayFixture.run([relay]) { gateway in
            let answer = try await gateway.respond(to: request("OPTIONS", "/mcp"))
            #expect(answer["Allow"] == "POST")
        }
    }

    @Test("a batch is taken with 2025-03-26 or without a version", arguments: ["2025-03-26", nil])
    func batch(version: String?) async throws {
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(
                    post("[\(call(1)),\(call(2))]", version.map { [("MCP-Protocol-Version", $0)] } ?? []))
                await relay.nextCall().answer()
                await relay.nextCall().answer()
                #expect(try await client.response().text == "[\(result(1)),\(result(2))]")
            }
        }
    }

    @Test("a batch of another revision is refused", arguments: ["2024-11-05", "2025-06-18", "2025-11-25"])
    func batchElsewhere(version: String) async throws {
        try await GatewayFixture.run([relay]) { gateway in
            let answer = try await gateway.respond(to: post("[\(call(1))]", [("MCP-Protocol-Version", version)]))
            #expect(answer.status == 400)
            #expect(
                answer.text
                    == failure(
                        -32600, "a batch is taken only in the revision 2025-03-26; send its messages one by one"))
        }
    }

    @Test("an unknown version is refused as ever")
    func version() async throws {
        try await GatewayFixture.run([relay]) { gateway in
            let answer = try await gateway.respond(to: post(call(1), [("MCP-Protocol-Version", "1999-01-01")]))
            #expect(answer.status == 400)
        }
    }

    @Test("a client that leaves gives its call up")
    func left() async throws {
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1)))
                _ = await relay.nextCall()
            }
            #expect(await relay.nextWithdrawal() == 1)
        }
    }
}
