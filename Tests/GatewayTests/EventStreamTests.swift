// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Testing

@testable import Gateway

@Suite("Event streams that answer a POST", .timeLimit(.minutes(1)))
struct EventStreamTests {
    private let progress = MessageBytes(bytes: Array(#"{"progress":1}"#.utf8))

    private var quick: GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.limits.becomesStreamAfter = .milliseconds(20)
        configuration.limits.keepAlive = .milliseconds(20)
        return configuration
    }

    @Test("a message before the answer makes the response a stream, which the answer ends")
    func switches() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")]) + request("GET", "/healthz"))
                let call = await relay.nextCall()
                call.sink.deliver(progress)
                let head = try await client.head()
                #expect(head.status == 200)
                #expect(head["Content-Type"] == "text/event-stream")
                #expect(head["Cache-Control"] == "no-cache, no-transform")
                #expect(head["X-Accel-Buffering"] == "no")
                #expect(head["Mcp-Session-Id"] == "s-1")
                #expect(head["Transfer-Encoding"] == "chunked")
                let event = try await client.event()
                #expect(event?.name == "message")
                #expect(event?.data == #"{"progress":1}"#)
                call.answer()
                #expect(try await client.event()?.data == result(1))
                #expect(try await client.event() == nil)
                #expect(try await client.response().text == "ok")
            }
        }
    }

    @Test("messages of another thread keep their order with those of the connection's own")
    func order() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1)))
                let call = await relay.nextCall()
                for number in 0..<500 { call.sink.deliver(MessageBytes(bytes: Array("\(number)".utf8))) }
                call.answer()
                _ = try await client.head()
                for number in 0..<500 { #expect(try await client.event()?.data == "\(number)") }
                #expect(try await client.event()?.data == result(1))
            }
        }
    }

    @Test("an answer that does not come is announced by a stream, with a comment now and then")
    func waits() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], configuration: quick) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1)))
                let call = await relay.nextCall()
                #expect(try await client.head()["Content-Type"] == "text/event-stream")
                for _ in 0..<3 { #expect(try await client.event()?.comment == "keep-alive") }
                call.sink.finish(.unknownSession(.error))
                #expect(try await client.message()?.data == "error")
                #expect(try await client.message() == nil)
            }
        }
    }

    @Test("an initialize that takes long stays without a stream")
    func initialize() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], configuration: quick) { gateway in
            try await gateway.connected { client in
                try await gateway.connected { other in
                    try await client.send(post(call(1, method: "initialize")))
                    let initialize = await relay.nextCall()
                    try await other.send(post(call(2)))
                    _ = await relay.nextCall()
                    _ = try await other.head()
                    for _ in 0..<3 { _ = try await other.event() }
                    initialize.sink.finish(.opened(initialize.response("{}"), session: "new"))
                    #expect(try await client.response()["Mcp-Session-Id"] == "new")
                }
            }
        }
    }

    @Test("a message larger than what is copied arrives whole as one event")
    func large() async throws {
        let text = String(repeating: "0123456789", count: 50_000)
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1)))
                let call = await relay.nextCall()
                call.sink.deliver(MessageBytes(ByteBuffer(string: "<"), tail: [ByteBuffer(string: text + ">")]))
                call.answer()
                _ = try await client.head()
                #expect(try await client.event()?.data == "<\(text)>")
                #expect(try await client.event()?.data == result(1))
            }
        }
    }

    @Test("a client of HTTP/1.0 gets a stream that ends with its connection")
    func oldVersion() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), version: "1.0", [("Connection", "keep-alive")]))
                let call = await relay.nextCall()
                call.sink.deliver(progress)
                call.answer()
                let head = try await client.head()
                #expect(head["Transfer-Encoding"] == nil)
                #expect(head["Connection"] == "close")
                #expect(try await client.event()?.data == #"{"progress":1}"#)
                #expect(try await client.event()?.data == result(1))
                #expect(try await client.event() == nil)
            }
        }
    }

    @Test("a client that takes nothing is closed, and its call given up")
    func stalled() async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.limits.writeStall = .milliseconds(100)
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                try await client.setReading(false)
                try await client.send(post(call(1)))
                let call = await relay.nextCall()
                call.sink.deliver(MessageBytes(ByteBuffer(repeating: 0x20, count: 16 << 20)))
                #expect(await relay.nextWithdrawal() == 1)
            }
        }
    }

    @Test("more than is held for a slow client closes its connection")
    func tooMuch() async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.limits.heldForClient = 8 << 20
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                try await client.setReading(false)
                try await client.send(post(call(1)))
                let call = await relay.nextCall()
                for _ in 0..<16 { call.sink.deliver(MessageBytes(ByteBuffer(repeating: 0x20, count: 1 << 20))) }
                #expect(await relay.nextWithdrawal() == 1)
            }
        }
    }
}
