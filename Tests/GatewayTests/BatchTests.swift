// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Testing

@testable import Gateway

@Suite("Batches", .timeLimit(.minutes(1)))
struct BatchTests {
    private let session = [("Mcp-Session-Id", "s-1")]
    private let notification = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    private func withBatches(
        version: String = "2025-03-26", _ body: (GatewayFixture, FakeRelay) async throws -> Void
    ) async throws {
        let relay = FakeRelay()
        relay.addSession("s-1", version: version)
        try await GatewayFixture.run([relay]) { try await body($0, relay) }
    }

    @Test("each message goes on alone, and the answers come as one array once all are there")
    func array() async throws {
        try await withBatches { gateway, relay in
            try await gateway.connected { client in
                try await client.send(post(" [ \(call(1)) , \(notification),\(call(2))]", session))
                let first = await relay.nextCall()
                let second = await relay.nextCall()
                #expect(relay.messages == [call(1), notification, call(2)])
                second.answer()
                first.answer()
                let response = try await client.response()
                #expect(response.status == 200)
                #expect(response["Content-Type"] == "application/json")
                #expect(response["Mcp-Session-Id"] == "s-1")
                #expect(response.text == "[\(result(2)),\(result(1))]")
            }
        }
    }

    @Test("it becomes a stream of events when a message comes between the answers")
    func stream() async throws {
        try await withBatches { gateway, relay in
            try await gateway.connected { client in
                try await client.send(post("[\(call(1)),\(call(2))]", session))
                let first = await relay.nextCall()
                let second = await relay.nextCall()
                first.answer()
                second.sink.deliver(MessageBytes(bytes: Array("progress".utf8)))
                second.answer()
                #expect(try await client.head()["Content-Type"] == "text/event-stream")
                #expect(try await client.message()?.data == result(1))
                #expect(try await client.message()?.data == "progress")
                #expect(try await client.message()?.data == result(2))
                #expect(try await client.message() == nil)
            }
        }
    }

    @Test("notifications and responses alone are taken with 202")
    func notifications() async throws {
        try await withBatches { gateway, relay in
            let response = try await gateway.respond(to: post("[\(notification),\(result(9))]", session))
            #expect(response.status == 202)
            #expect(response.body.isEmpty)
            #expect(relay.messages == [notification, result(9)])
        }
    }

    @Test("an element that is no message has an error of its own in the array")
    func invalidElement() async throws {
        try await withBatches { gateway, relay in
            let response = try await gateway.respond(to: post("[1,[]]", session))
            let error = failure(
                -32600, "the message has neither a method nor a result nor an error; send a JSON-RPC message")
            #expect(response.status == 200)
            #expect(response.text == "[\(error),\(error)]")
            #expect(relay.messages.isEmpty)
        }
    }

    @Test("a client that leaves gives up every request of its batch")
    func left() async throws {
        try await withBatches { gateway, relay in
            try await gateway.connected { client in
                try await client.send(post("[\(call(1)),\(call(2)),\(call(3))]", session))
                for _ in 0..<3 { _ = await relay.nextCall() }
            }
            #expect(await relay.nextWithdrawal() == 1)
            #expect(await relay.nextWithdrawal() == 2)
            #expect(await relay.nextWithdrawal() == 3)
        }
    }

    @Test(
        "what a batch must not be is refused whole",
        arguments: [
            ("[]", "the batch is empty; put messages into it"),
            ("[\(call(1)),\(call(2, method: "initialize"))]", "initialize must not stand in a batch; send it alone"),
            (
                "[" + Array(repeating: "1", count: 257).joined(separator: ",") + "]",
                "the batch has more than 256 messages; send fewer at a time"
            ),
        ])
    func refused(batch: String, message: String) async throws {
        try await withBatches { gateway, relay in
            let response = try await gateway.respond(to: post(batch, session))
            #expect(response.status == 400)
            #expect(response.text == failure(-32600, message))
            #expect(relay.messages.isEmpty)
        }
    }

    @Test(
        "a session of any other revision sends messages one by one",
        arguments: [
            "2024-11-05", "2025-06-18", "2025-11-25",
        ])
    func otherRevisions(version: String) async throws {
        try await withBatches(version: version) { gateway, relay in
            let response = try await gateway.respond(to: post("[\(call(1))]", session))
            #expect(response.status == 400)
            #expect(
                response.text
                    == failure(
                        -32600,
                        "a batch is taken only in a session that negotiated 2025-03-26; send its messages one by one"))
            #expect(relay.messages.isEmpty)
        }
    }

    @Test("a batch of an unknown session is answered as any message of one")
    func unknownSession() async throws {
        try await withBatches { gateway, _ in
            let response = try await gateway.respond(to: post("[\(call(1))]", [("Mcp-Session-Id", "gone")]))
            #expect(response.status == 404)
            #expect(response.text == failure(-32001, "the session is unknown or has ended; initialize again"))
        }
    }
}
