// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

@testable import Gateway

@Suite("The 2024-11-05 transport", .timeLimit(.minutes(1)))
struct TransportSessionTests {
    /// An open stream and a connection for messages.
    private struct Pair {
        let stream: RawHTTPClient
        let messages: RawHTTPClient
        let path: String

        func post(_ body: String, _ more: [(String, String)] = []) async throws -> RawHTTPResponse {
            try await messages.send(GatewayTests.post(body, to: path, without: ["Accept"], more))
            return try await messages.response()
        }

        func takes(_ body: String) async throws {
            let response = try await post(body)
            #expect(response.status == 202)
            #expect(response.text.isEmpty)
        }
    }

    private static func get(_ path: String, _ more: [(String, String)] = []) -> String {
        request("GET", path, [("Host", "localhost"), ("Accept", "text/event-stream")] + more)
    }

    private static func open(_ gateway: GatewayFixture, _ path: String = "/sse") async throws -> Pair {
        let stream = try await RawHTTPClient.connect(to: gateway.address)
        try await stream.send(get(path))
        #expect(try await stream.head().status == 200)
        let endpoint = try #require(try await stream.event())
        #expect(endpoint.name == "endpoint")
        return Pair(
            stream: stream, messages: try await RawHTTPClient.connect(to: gateway.address),
            path: try #require(endpoint.data))
    }

    /// Runs a body with an open stream, and closes its connections afterwards.
    private func withPair(
        _ relay: FakeRelay, _ path: String = "/sse", configuration: GatewayConfiguration = .init(),
        _ body: (GatewayFixture, Pair) async throws -> Void
    ) async throws {
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            let pair = try await Self.open(gateway, path)
            try await body(gateway, pair)
            await pair.stream.close()
            await pair.messages.close()
            try await gateway.settle {
                $0.streams.load(ordering: .relaxed) == 0 && $0.exchanges.load(ordering: .relaxed) == 0
            }
        }
    }

    /// Initializes, and answers with the sink of the session's stream.
    private func initialize(_ pair: Pair, _ relay: FakeRelay, session: String = "s-1") async throws -> any StreamSink {
        relay.addSession(session, version: "2024-11-05")
        try await pair.takes(call(0, method: "initialize"))
        let initialize = await relay.nextCall()
        #expect(!initialize.sink.acceptsStream)
        initialize.sink.finish(.opened(initialize.response("{}"), session: session))
        #expect(try await pair.stream.message()?.data == result(0))
        return await relay.nextStream()
    }

    /// D1
    @Test(
        "the first event names a relative path with an id of 128 bits",
        arguments: [
            ("/sse", "/messages/"), ("/sse/", "/messages/"), ("/servers/files/sse", "/servers/files/messages/"),
        ]
    )
    func endpoint(path: String, messages: String) async throws {
        try await withPair(FakeRelay(), path) { _, pair in
            let parts = pair.path.split(separator: "?session_id=")
            #expect(parts.first.map(String.init) == messages)
            #expect(parts.last?.count == 32)
            #expect(parts.last?.allSatisfy { $0.isHexDigit && !$0.isUppercase } == true)
        }
    }

    /// D1
    @Test("answers, messages of calls and of the session come on the stream, in order")
    func messages() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            let stream = try await initialize(pair, relay)
            try await pair.takes(call(1))
            let one = await relay.nextCall()
            #expect(one.message.session == "s-1")
            #expect(one.sink.acceptsStream)
            #expect(stream.deliver(MessageBytes(bytes: Array("changed".utf8))))
            one.sink.deliver(MessageBytes(bytes: Array("progress".utf8)))
            one.answer(#"{"a":1}"#)
            for data in ["changed", "progress", result(1, #"{"a":1}"#)] {
                let event = try await pair.stream.message()
                #expect(event?.name == "message")
                #expect(event?.data == data)
                #expect(event?.id == nil)
            }
            try await pair.takes(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            #expect(relay.messages.last == #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
        }
    }

    @Test("refusals of the core come on the stream")
    func refusals() async throws {
        let relay = FakeRelay { message, _ in
            message.envelope.kind == .request && message.session != nil ? .refused(.unknownSession, .error) : nil
        }
        try await withPair(relay) { _, pair in
            try await pair.takes(call(0, method: "initialize"))
            await relay.nextCall().sink.finish(.unavailable(.error, retryAfter: 1))
            #expect(try await pair.stream.message()?.data == "error")
            _ = try await initialize(pair, relay)
            try await pair.takes(call(1))
            #expect(try await pair.stream.message()?.data == "error")
        }
    }

    /// X4
    @Test("before initialize a request is refused on the stream, and another message with 400")
    func notInitialized() async throws {
        try await withPair(FakeRelay()) { _, pair in
            let text = "the stream has no session yet; send initialize first"
            try await pair.takes(call(7))
            #expect(
                try await pair.stream.message()?.data
                    == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"\#(text)"}}"#)
            let response = try await pair.post(#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)
            #expect(response.status == 400)
            #expect(response.text == failure(-32600, text))
        }
    }

    /// X4
    @Test("a modern request is told on the stream which revisions there are", arguments: [nil, modernRevision])
    func modernRequest(version: String?) async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            for isInitialized in [false, true] {
                if isInitialized { _ = try await initialize(pair, relay) }
                let response = try await pair.post(modern(7), copies(version: version))
                #expect(response.status == 202)
                let message = try await pair.stream.message()
                #expect(
                    message?.data
                        == failure(
                            -32022,
                            "this transport has no revision after 2025-11-25; send initialize, or use the path that "
                                + "ends in /mcp", id: 7,
                            data: #"{"supported":["2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"#
                                + #""requested":"2026-07-28"}"#))
            }
            #expect(!relay.messages.contains(modern(7)))
            #expect(try await pair.post(call(8), copies()).status == 400)
        }
    }

    @Test("a message to an unknown or no stream, or one that cannot be read, is refused on its POST")
    func badPosts() async throws {
        try await withPair(FakeRelay()) { gateway, pair in
            let unknown = "the session_id is unknown or its stream has ended; open a new stream"
            let missing = "the request has no session_id; send it to the path that the event 'endpoint' names"
            for (path, body, status, code, text, id) in [
                ("/messages/?session_id=00", call(3), 404, -32001, unknown, "3"),
                ("/messages?session_id=00", #"{"jsonrpc":"2.0","method":"x"}"#, 404, -32001, unknown, "null"),
                ("/messages/", call(3), 400, -32600, missing, "3"),
                ("/servers/files/messages/?session=1", call(3), 400, -32600, missing, "3"),
            ] {
                let response = try await gateway.respond(to: post(body, to: path))
                #expect(response.status == status)
                #expect(
                    response.text
                        == #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":"\#(text)"}}"#)
            }
            #expect(try await pair.post("{").status == 400)
            #expect(try await pair.post("{}").text == failure(-32600, GatewayRefusal.noMessage.message))
            #expect(
                try await pair.post(#"{"jsonrpc":"2.0","id":null,"method":"x"}"#).text
                    == failure(-32600, GatewayRefusal.nullID.message))
            #expect(
                try await pair.post("[\(call(1))]").text
                    == failure(-32600, GatewayRefusal.batchOutsideItsRevision.message))
            #expect(try await pair.post(call(1), [("Content-Type", "text/plain")]).status == 415)
            #expect(try await pair.post(call(1), [("MCP-Protocol-Version", "1999-01-01")]).status == 400)
        }
    }

    /// X4
    @Test("another method is refused with the one that the path has")
    func methods() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            for (method, path, allowed) in [
                ("POST", "/sse", "GET"), ("DELETE", "/servers/files/sse", "GET"), ("GET", "/messages/", "POST"),
            ] {
                let response = try await gateway.respond(
                    to: request(method, path, [("Host", "localhost"), ("Content-Length", "0")]))
                #expect(response.status == 405)
                #expect(response["Allow"] == allowed)
            }
            #expect(
                try await gateway.respond(
                    to: request("GET", "/sse", [("Host", "localhost"), ("Accept", "application/json")])
                ).status == 406)
            #expect(try await gateway.respond(to: Self.get("/servers/nobody/sse")).status == 404)
            #expect(try await gateway.respond(to: request("GET", "/sse", [("Host", "evil.example")])).status == 403)
        }
    }

    /// X4
    @Test("a stream is there for the principal that opened it, and only within its grant")
    func principals() async throws {
        let tokens = [
            "one": Grant(principal: Principal(name: "one")),
            "two": Grant(principal: Principal(name: "two")),
        ]
        try await GatewayFixture.run([FakeRelay()], tokens: tokens) { gateway in
            #expect(try await gateway.respond(to: Self.get("/sse")).status == 401)
            try await gateway.connected { stream in
                try await stream.send(Self.get("/sse", [("Authorization", "Bearer one")]))
                _ = try await stream.head()
                let path = try #require(try await stream.event()?.data)
                let initialize = call(1, method: "initialize")
                #expect(
                    try await gateway.respond(to: post(initialize, to: path, [("Authorization", "Bearer two")]))
                        .status == 404)
                #expect(try await gateway.respond(to: post(initialize, to: path)).status == 401)
                #expect(
                    try await gateway.respond(to: post(initialize, to: path, [("Authorization", "Bearer one")]))
                        .status == 202)
            }
        }
    }

    @Test("with its stream a client loses its calls and its session, and messages find nothing")
    func left() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { gateway, pair in
            _ = try await initialize(pair, relay)
            try await pair.takes(call(1))
            try await pair.takes(call(2))
            let (one, two) = (await relay.nextCall(), await relay.nextCall())
            try await pair.stream.reset()
            #expect(await relay.nextWithdrawal() == 1)
            #expect(await relay.nextWithdrawal() == 2)
            while try await pair.post(call(3)).status != 404 { await relay.nextCall().answer() }
            try await gateway.settle { _ in relay.ended == ["s-1"] }
            one.answer()
            two.answer()
        }
    }

    @Test("a session that opens after its client has left is ended at once")
    func leftDuringInitialize() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            relay.addSession("late")
            try await pair.takes(call(0, method: "initialize"))
            let initialize = await relay.nextCall()
            try await pair.stream.reset()
            #expect(await relay.nextWithdrawal() == 1)
            initialize.sink.finish(.opened(initialize.response("{}"), session: "late"))
            #expect(relay.ended == ["late"])
        }
    }

    @Test("the end of the session ends the stream, behind what it was sent before")
    func sessionEnded() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            let stream = try await initialize(pair, relay)
            #expect(stream.deliver(MessageBytes(bytes: Array("last".utf8))))
            stream.close()
            #expect(try await pair.stream.message()?.data == "last")
            #expect(try await pair.stream.message() == nil)
        }
    }

    @Test("answers to calls in flight still come when their session has ended")
    func sessionEndedWithCalls() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            let stream = try await initialize(pair, relay)
            try await pair.takes(call(1))
            try await pair.takes(call(2))
            let (one, two) = (await relay.nextCall(), await relay.nextCall())
            stream.close()
            one.answer()
            two.answer()
            #expect(try await pair.stream.message()?.data == result(1))
            #expect(try await pair.stream.message()?.data == result(2))
            #expect(try await pair.stream.message() == nil)
        }
    }

    @Test("a later initialize puts another session in place of the first, which ends")
    func again() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            let first = try await initialize(pair, relay)
            let second = try await initialize(pair, relay, session: "s-2")
            #expect(relay.ended == ["s-1"])
            first.close()
            #expect(second.deliver(MessageBytes(bytes: Array("still here".utf8))))
            #expect(try await pair.stream.message()?.data == "still here")
            try await pair.takes(call(1))
            let call = await relay.nextCall()
            #expect(call.message.session == "s-2")
            call.answer()
        }
    }

    @Test("a batch is taken where 2025-03-26 was negotiated, and each answer is an event")
    func batch() async throws {
        let relay = FakeRelay()
        try await withPair(relay) { _, pair in
            _ = try await initialize(pair, relay)
            relay.addSession("s-1", version: "2025-03-26")
            try await pair.takes("[\(call(1)),{},\(call(2))]")
            let (one, two) = (await relay.nextCall(), await relay.nextCall())
            two.answer()
            one.answer()
            #expect(try await pair.stream.message()?.data == failure(-32600, GatewayRefusal.noMessage.message))
            #expect(try await pair.stream.message()?.data == result(2))
            #expect(try await pair.stream.message()?.data == result(1))
        }
    }

    @Test("more than is held for a slow client closes its stream")
    func tooMuch() async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.limits.heldForClient = 8 << 20
        try await withPair(relay, configuration: configuration) { _, pair in
            let stream = try await initialize(pair, relay)
            try await pair.stream.setReading(false)
            try await pair.takes(call(1))
            _ = await relay.nextCall()
            let message = MessageBytes(ByteBuffer(repeating: 0x20, count: 1 << 20))
            while stream.deliver(message) { await Task.yield() }
            #expect(await relay.nextWithdrawal() == 1)
        }
    }

    @Test("silence brings comments, and each that is taken keeps the session from being idle")
    func keepAlive() async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.limits.keepAlive = .milliseconds(20)
        try await withPair(relay, configuration: configuration) { _, pair in
            _ = try await initialize(pair, relay)
            for _ in 0..<3 {
                #expect(try await pair.stream.event()?.comment == "keep-alive")
                await relay.nextTouch()
            }
        }
    }

    @Test("beyond the cap a stream is refused until another has ended")
    func cap() async throws {
        var configuration = GatewayConfiguration()
        configuration.limits.transportSessions = 1
        try await withPair(FakeRelay(), configuration: configuration) { gateway, _ in
            let response = try await gateway.respond(to: Self.get("/sse"))
            #expect(response.status == 503)
            #expect(response["Retry-After"] == "60")
            #expect(response.text == failure(-32600, "as many streams are open as there may be; end one or wait"))
        }
    }
}
