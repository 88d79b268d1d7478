// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite("Sessions' own streams", .timeLimit(.minutes(1)))
struct SessionStreamTests {
    private let get = request(
        "GET", "/mcp",
        [
            ("Host", "localhost"), ("Accept", "text/event-stream"), ("Mcp-Session-Id", "s-1"),
        ])

    /// A client that has left has little time to come back.
    private var quick: GatewayConfiguration {
        var configuration = GatewayConfiguration()
        configuration.limits.replayFor = .milliseconds(20)
        return configuration
    }

    private func withSession(
        _ configuration: GatewayConfiguration = .init(), _ body: (GatewayFixture, FakeRelay) async throws -> Void
    ) async throws {
        let relay = FakeRelay()
        relay.addSession("s-1")
        try await GatewayFixture.run([relay], configuration: configuration) { try await body($0, relay) }
    }

    @Test("it opens at once with a comment, and brings messages in order")
    func messages() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { client in
                try await client.send(get)
                let head = try await client.head()
                #expect(head.status == 200)
                #expect(head["Content-Type"] == "text/event-stream")
                #expect(head["Mcp-Session-Id"] == "s-1")
                #expect(try await client.event()?.comment == "open")
                let stream = await relay.nextStream()
                for number in 0..<200 { #expect(stream.deliver(MessageBytes(bytes: Array("\(number)".utf8)))) }
                for number in 0..<200 { #expect(try await client.message()?.data == "\(number)") }
            }
        }
    }

    @Test("the newest takes the place of the older, which ends in good order")
    func newest() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { older in
                try await older.send(get)
                _ = try await older.head()
                let stream = await relay.nextStream()
                try await gateway.connected { newer in
                    try await newer.send(get)
                    _ = try await newer.head()
                    #expect(try await older.message() == nil)
                    #expect(!stream.deliver(.error))
                    try await older.send(request("GET", "/healthz"))
                    #expect(try await older.response().text == "ok")
                }
            }
        }
    }

    @Test("it ends with its session")
    func ended() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { client in
                try await client.send(get)
                _ = try await client.head()
                let fields = [("Host", "localhost"), ("Mcp-Session-Id", "s-1")]
                #expect(try await gateway.respond(to: request("DELETE", "/mcp", fields)).status == 200)
                #expect(relay.ended == ["s-1"])
                #expect(try await client.message() == nil)
            }
        }
    }

    @Test("silence brings comments, and each that is taken keeps the session from being idle")
    func keepAlive() async throws {
        var configuration = GatewayConfiguration()
        configuration.limits.keepAlive = .milliseconds(20)
        try await withSession(configuration) { gateway, relay in
            try await gateway.connected { client in
                try await client.send(get)
                _ = try await client.head()
                #expect(try await client.event()?.comment == "open")
                #expect(try await client.event()?.retry == "1000")
                for _ in 0..<3 {
                    #expect(try await client.event()?.comment == "keep-alive")
                    await relay.nextTouch()
                }
            }
        }
    }

    @Test("a client that leaves and does not come back takes its stream with it", arguments: [true, false])
    func left(abruptly: Bool) async throws {
        try await withSession(quick) { gateway, relay in
            let client = try await RawHTTPClient.connect(to: gateway.address)
            try await client.send(get)
            _ = try await client.head()
            let stream = await relay.nextStream()
            // Whatever the server sends until then is kept for the client.
            #expect(stream.deliver(.error))
            if abruptly {
                try await client.reset()
            } else {
                await client.close()
            }
            await relay.nextClosedStream()
            #expect(!stream.deliver(.error))
        }
    }

    @Test("a client that is too far behind loses its stream, and the session is told")
    func farBehind() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { client in
                try await client.send(get)
                _ = try await client.head()
                try await client.setReading(false)
                let stream = await relay.nextStream()
                let message = MessageBytes(ByteBuffer(repeating: 0x20, count: 100_000))
                var delivered = 0
                while stream.deliver(message) { delivered += 1 }
                #expect(delivered >= 10)
                await relay.nextClosedStream()
            }
        }
    }

    @Test("a message longer than all that may be held is taken where nothing else waits")
    func longMessage() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { client in
                try await client.send(get)
                _ = try await client.head()
                let stream = await relay.nextStream()
                #expect(stream.deliver(MessageBytes(ByteBuffer(repeating: 0x78, count: 3 << 20))))
                #expect(try await client.message()?.data?.utf8.count == 3 << 20)
            }
        }
    }

    @Test("nothing of a stream is left once its client has gone for good")
    func noLeak() async throws {
        try await withSession(quick) { gateway, relay in
            for _ in 0..<20 {
                try await gateway.connected { client in
                    try await client.send(get)
                    _ = try await client.head()
                    _ = await relay.nextStream()
                }
                await relay.nextClosedStream()
            }
            try await gateway.settle { $0.streams.load(ordering: .relaxed) == 0 }
        }
    }
}
