// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite("Streams that a client takes up again", .timeLimit(.minutes(1)))
struct ResumptionTests {
    private static func get(after last: String? = nil, session: String = "s-1") -> String {
        let fields = [("Host", "localhost"), ("Accept", "text/event-stream"), ("Mcp-Session-Id", session)]
        return request("GET", "/mcp", fields + (last.map { [("Last-Event-ID", $0)] } ?? []))
    }

    private func withSession(
        version: String = "2025-11-25", _ change: (inout GatewayLimits) -> Void = { _ in },
        _ body: (GatewayFixture, FakeRelay) async throws -> Void
    ) async throws {
        let relay = FakeRelay()
        relay.addSession("s-1", version: version)
        var configuration = GatewayConfiguration()
        change(&configuration.limits)
        try await GatewayFixture.run([relay], configuration: configuration) { try await body($0, relay) }
    }

    private func message(_ text: String) -> MessageBytes { MessageBytes(bytes: Array(text.utf8)) }

    /// Begins a call whose answer is a stream, reads some of its messages, and breaks the connection.
    private func brokenCall(
        _ gateway: GatewayFixture, _ relay: FakeRelay, reading count: Int = 1
    ) async throws -> (FakeRelay.Call, last: String) {
        let client = try await RawHTTPClient.connect(to: gateway.address)
        try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")]))
        let call = await relay.nextCall()
        for number in 1...count { call.sink.deliver(message("\(number)")) }
        _ = try await client.head()
        var last = ""
        for number in 1...count {
            let event = try await client.message()
            #expect(event?.data == "\(number)")
            last = event?.id ?? ""
        }
        try await client.reset()
        return (call, last)
    }

    /// Waits until the gateway has seen that nobody reads the call's stream.
    private func left(_ gateway: GatewayFixture, _ call: FakeRelay.Call) async throws {
        try await gateway.settle { _ in !call.sink.acceptsStream }
    }

    // MARK: Ids

    /// A-G3
    @Test("every event has an id of its stream, and the first is a priming event", arguments: [true, false])
    func ids(answersPost: Bool) async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { client in
                if answersPost {
                    try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")]))
                    let sink = await relay.nextCall().sink
                    for text in ["a", "b"] { sink.deliver(message(text)) }
                } else {
                    try await client.send(Self.get())
                    let stream = await relay.nextStream()
                    for text in ["a", "b"] { #expect(stream.deliver(message(text))) }
                }
                _ = try await client.head()
                if !answersPost { #expect(try await client.event()?.comment == "open") }
                let priming = try #require(try await client.event())
                #expect(priming.data?.isEmpty == true)
                #expect(priming.retry == "1000")
                let id = try #require(priming.id)
                #expect(id.hasSuffix(".0"))
                for number in 1...2 { #expect(try await client.event()?.id == id.dropLast() + "\(number)") }
            }
        }
    }

    @Test("a client of an older revision gets ids, and no event without data")
    func noPriming() async throws {
        try await withSession(version: "2025-06-18") { gateway, relay in
            try await gateway.connected { client in
                try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")]))
                await relay.nextCall().sink.deliver(message("a"))
                _ = try await client.head()
                let event = try await client.event()
                #expect(event?.data == "a")
                #expect(event?.id?.hasSuffix(".1") == true)
            }
        }
    }

    // MARK: Answers to POSTs

    /// A-G3
    @Test("what came after an event is sent again, and the stream goes on to its answer")
    func resumed() async throws {
        try await withSession { gateway, relay in
            let (call, last) = try await brokenCall(gateway, relay)
            try await left(gateway, call)
            call.sink.deliver(message("2"))
            try await gateway.connected { client in
                try await client.send(Self.get(after: last) + request("GET", "/healthz"))
                let head = try await client.head()
                #expect(head.status == 200)
                #expect(head["Mcp-Session-Id"] == "s-1")
                #expect(try await client.message()?.data == "2")
                #expect(call.sink.acceptsStream)
                call.sink.deliver(message("3"))
                #expect(try await client.message()?.data == "3")
                call.answer()
                #expect(try await client.message()?.data == result(1))
                #expect(try await client.message() == nil)
                #expect(try await client.response().text == "ok")
            }
        }
    }

    @Test("a stream that ended meanwhile is sent to its end, and again")
    func ended() async throws {
        try await withSession { gateway, relay in
            let (call, last) = try await brokenCall(gateway, relay)
            call.answer()
            for _ in 0..<2 {
                try await gateway.connected { client in
                    try await client.send(Self.get(after: last))
                    _ = try await client.head()
                    #expect(try await client.message()?.data == result(1))
                    #expect(try await client.message() == nil)
                }
            }
        }
    }

    @Test("a client that comes back before its old connection is known to be broken gets the stream")
    func stillOpen() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { older in
                try await older.send(post(call(1), [("Mcp-Session-Id", "s-1")]))
                let call = await relay.nextCall()
                call.sink.deliver(message("1"))
                call.sink.deliver(message("2"))
                _ = try await older.head()
                let last = try #require(try await older.message()?.id)
                try await gateway.connected { client in
                    try await client.send(Self.get(after: last))
                    _ = try await client.head()
                    #expect(try await client.message()?.data == "2")
                    try await older.closed()
                    call.answer()
                    #expect(try await client.message()?.data == result(1))
                    #expect(try await client.message() == nil)
                }
            }
        }
    }

    /// A-G5
    @Test("a call is given up when its client does not come back in time, and not before")
    func givenUp() async throws {
        try await withSession {
            $0.replayFor = .milliseconds(50)
        } _: { gateway, relay in
            let (_, last) = try await brokenCall(gateway, relay)
            #expect(await relay.nextWithdrawal() == 1)
            let refused = try await gateway.respond(to: Self.get(after: last))
            #expect(refused.status == 400)
            #expect(refused.text == failure(-32600, GatewayRefusal.unknownEvent.message))
            try await gateway.settle {
                $0.exchanges.load(ordering: .relaxed) == 0 && $0.replayBytes.load(ordering: .relaxed) == 0
            }
        }
    }

    /// A-G5
    @Test("a call whose answer is not a stream yet is given up at once")
    func plain() async throws {
        try await withSession { gateway, relay in
            let client = try await RawHTTPClient.connect(to: gateway.address)
            try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")]))
            _ = await relay.nextCall()
            try await client.reset()
            #expect(await relay.nextWithdrawal() == 1)
        }
    }

    @Test("events that are no longer kept are refused in words")
    func dropped() async throws {
        try await withSession {
            $0.replayEvents = 2
        } _: { gateway, relay in
            let (call, last) = try await brokenCall(gateway, relay)
            for number in 2...4 { call.sink.deliver(message("\(number)")) }
            call.answer()
            let refused = try await gateway.respond(to: Self.get(after: last))
            #expect(refused.status == 400)
            #expect(
                refused.text
                    == failure(
                        -32600,
                        "some events after this Last-Event-ID are no longer kept; open a stream without it and ask again"
                    ))
        }
    }

    /// X4
    @Test("an id that is none, or of an unknown answer, is refused in words", arguments: ["x", "p1.1"])
    func unknown(id: String) async throws {
        try await withSession { gateway, _ in
            let refused = try await gateway.respond(to: Self.get(after: id))
            #expect(refused.status == 400)
            #expect(
                refused.text
                    == failure(
                        -32600,
                        "the Last-Event-ID names no stream of this session that is still kept; open a stream without it"
                    ))
        }
    }

    @Test("another session does not find the stream")
    func otherSession() async throws {
        try await withSession { gateway, relay in
            relay.addSession("s-2")
            let (_, last) = try await brokenCall(gateway, relay)
            #expect(try await gateway.respond(to: Self.get(after: last, session: "s-2")).status == 400)
            #expect(try await gateway.respond(to: Self.get(after: last, session: "s-3")).status == 404)
        }
    }

    @Test("the end of the session ends what is kept of it")
    func deleted() async throws {
        try await withSession { gateway, relay in
            let (call, _) = try await brokenCall(gateway, relay)
            try await left(gateway, call)
            let delete = request("DELETE", "/mcp", [("Host", "localhost"), ("Mcp-Session-Id", "s-1")])
            #expect(try await gateway.respond(to: delete).status == 200)
            #expect(await relay.nextWithdrawal() == 1)
            try await gateway.settle { $0.replayBytes.load(ordering: .relaxed) == 0 }
        }
    }

    @Test("a session keeps so many ended streams, and the gateway so many bytes", arguments: [true, false])
    func bounded(byStreams: Bool) async throws {
        try await withSession {
            if byStreams { $0.replayStreams = 2 } else { $0.replayBytesInAll = 1000 }
        } _: { gateway, relay in
            var lasts: [String] = []
            for _ in 0..<8 {
                try await gateway.connected { client in
                    try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")]))
                    let call = await relay.nextCall()
                    call.sink.deliver(message(String(repeating: "x", count: 100)))
                    call.answer()
                    _ = try await client.head()
                    lasts.append(try await client.message()?.id ?? "")
                    while try await client.message() != nil {}
                }
            }
            #expect(gateway.meters.replayBytes.load(ordering: .relaxed) <= 1000)
            #expect(try await gateway.respond(to: Self.get(after: lasts[0])).status == 400)
            #expect(try await gateway.respond(to: Self.get(after: lasts[7])).status == 200)
        }
    }

    // MARK: The session's own stream

    /// A-G3
    @Test(
        "a session's own stream goes on where its client left it, with what came meanwhile", arguments: [true, false])
    func own(namesEvent: Bool) async throws {
        try await withSession { gateway, relay in
            let client = try await RawHTTPClient.connect(to: gateway.address)
            try await client.send(Self.get())
            let stream = await relay.nextStream()
            #expect(stream.deliver(message("1")))
            _ = try await client.head()
            let last = try #require(try await client.message()?.id)
            try await client.reset()
            try await gateway.settle { $0.connections.load(ordering: .relaxed) == 0 }
            for number in 2...4 { #expect(stream.deliver(message("\(number)"))) }
            try await gateway.connected { client in
                try await client.send(Self.get(after: namesEvent ? last : nil))
                _ = try await client.head()
                #expect(try await client.event()?.comment == "open")
                for number in 2...4 { #expect(try await client.event()?.data == "\(number)") }
                #expect(stream.deliver(message("5")))
                #expect(try await client.message()?.data == "5")
                stream.close()
                #expect(try await client.message() == nil)
            }
        }
    }

    @Test("the id of an own stream that is not known any more opens a new one")
    func unknownOwn() async throws {
        try await withSession { gateway, relay in
            try await gateway.connected { client in
                try await client.send(Self.get(after: "g1.5"))
                #expect(try await client.head().status == 200)
                #expect(await relay.nextStream().deliver(message("fresh")))
                #expect(try await client.message()?.data == "fresh")
            }
        }
    }
}
