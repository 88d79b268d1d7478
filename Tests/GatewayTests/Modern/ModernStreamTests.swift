// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite("Answers to modern requests", .timeLimit(.minutes(1)))
struct ModernStreamTests {
    private func message(_ text: String) -> MessageBytes { MessageBytes(bytes: Array(text.utf8)) }

    private func request(_ id: Int, _ method: String = "tools/list", _ more: [(String, String)] = []) -> String {
        post(modern(id, method), copies(method) + [("Mcp-Session-Id", "s-1")] + more)
    }

    /// A gateway whose server knows a session that modern requests must have no part in.
    private func run(
        _ change: (inout GatewayLimits) -> Void = { _ in }, _ body: (GatewayFixture, FakeRelay) async throws -> Void
    ) async throws {
        let relay = FakeRelay()
        relay.addSession("s-1")
        var configuration = GatewayConfiguration()
        change(&configuration.limits)
        try await GatewayFixture.run([relay], configuration: configuration) { try await body($0, relay) }
    }

    @Test(
        "that are errors have the status of their code",
        arguments: [
            (-32601, 404), (-32602, 400), (-32600, 400), (-32700, 400), (-32020, 400), (-32021, 400), (-32022, 400),
            (-32603, 200), (-32000, 200), (1, 200),
        ])
    func statuses(code: Int, status: Int) async throws {
        try await run { gateway, relay in
            try await gateway.connected { client in
                try await client.send(request(1))
                await relay.nextCall().sink.finish(.failed(message("{}"), code: code))
                let response = try await client.response()
                #expect(response.status == status)
                #expect(response.text == "{}")
                #expect(response["Content-Type"] == "application/json")
                #expect(response["Mcp-Session-Id"] == nil)
            }
        }
    }

    @Test("are streams without ids once something else comes first, even where they are errors")
    func stream() async throws {
        try await run { gateway, relay in
            try await gateway.connected { client in
                for id in 1...2 {
                    try await client.send(request(id))
                    let call = await relay.nextCall()
                    #expect(call.sink.acceptsStream)
                    call.sink.deliver(message(#"{"progress":1}"#))
                    let head = try await client.head()
                    #expect(head.status == 200)
                    #expect(head["Content-Type"] == "text/event-stream")
                    #expect(head["X-Accel-Buffering"] == "no")
                    #expect(head["Mcp-Session-Id"] == nil)
                    let first = try await client.event()
                    #expect(first == RawEvent(block: #"event: message\#ndata: {"progress":1}"#))
                    call.sink.finish(.failed(message("{}"), code: -32601))
                    let last = try await client.event()
                    #expect(last == RawEvent(block: "event: message\ndata: {}"))
                    #expect(try await client.event() == nil)
                }
            }
        }
    }

    @Test("that take long are announced by a stream with comments, and nothing else")
    func slow() async throws {
        try await run {
            $0.becomesStreamAfter = .milliseconds(10)
            $0.keepAlive = .milliseconds(10)
        } _: { gateway, relay in
            try await gateway.connected { client in
                try await client.send(request(1, "subscriptions/listen"))
                let call = await relay.nextCall()
                #expect(try await client.head()["Content-Type"] == "text/event-stream")
                for _ in 1...3 { #expect(try await client.event() == RawEvent(block: ": keep-alive")) }
                call.answer()
                #expect(try await client.message()?.data == result(1))
            }
        }
    }

    @Test("are given up at once when their client leaves", arguments: [true, false])
    func left(isStream: Bool) async throws {
        try await run { gateway, relay in
            try await gateway.connected { client in
                try await client.send(request(1))
                let call = await relay.nextCall()
                if isStream {
                    call.sink.deliver(message("{}"))
                    _ = try await client.head()
                    #expect(try await client.message()?.data == "{}")
                }
                try await client.reset()
                #expect(await relay.nextWithdrawal() == 1)
                #expect(!call.sink.keepsMessages)
            }
            try await gateway.settle {
                $0.exchanges.load(ordering: .relaxed) == 0 && $0.replayBytes.load(ordering: .relaxed) == 0
            }
        }
    }

    @Test("cannot be taken up again by a session that the client named")
    func notResumed() async throws {
        try await run { gateway, relay in
            try await gateway.connected { client in
                try await client.send(request(1))
                let call = await relay.nextCall()
                call.sink.deliver(message("{}"))
                call.answer()
                let response = try await client.response()
                #expect(!response.text.contains("id:"))
                #expect(!response.text.contains("retry:"))
                #expect(gateway.meters.replayBytes.load(ordering: .relaxed) == 0)
            }
        }
    }

    @Test("a refusal of the core has its status too")
    func refused() async throws {
        let relay = FakeRelay { _, _ in .refused(.invalid, MessageBytes(bytes: Array("{}".utf8))) }
        try await GatewayFixture.run([relay]) { gateway in
            let response = try await gateway.respond(to: request(1))
            #expect(response.status == 400)
            #expect(response["Mcp-Session-Id"] == nil)
        }
    }
}
