// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Testing

@testable import Gateway

@Suite("Messages of clients", .timeLimit(.minutes(1)))
struct RelayTests {
    private let session = [("Mcp-Session-Id", "s-1")]

    @Test("a request is answered with JSON of a stated length, and its session's id")
    func plain() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), session))
                let call = await relay.nextCall()
                #expect(call.message.session == "s-1")
                #expect(call.message.principal == .anonymous)
                #expect(call.text == Self.text)
                #expect(call.sink.acceptsStream)
                call.answer()
                let response = try await client.response()
                #expect(response.status == 200)
                #expect(response["Content-Type"] == "application/json")
                #expect(response["Content-Length"] == "\(result(1).utf8.count)")
                #expect(response["Mcp-Session-Id"] == "s-1")
                #expect(response.text == result(1))
            }
        }
    }

    private static let text = call(1)

    @Test(
        "a notification is taken with 202, no body, and the session's id",
        arguments: [
            #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, #"{"jsonrpc":"2.0","id":1,"result":{}}"#,
            #"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}"#,
        ])
    func accepted(message: String) async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            let response = try await gateway.respond(to: post(message, session))
            #expect(response.status == 202)
            #expect(response.body.isEmpty)
            #expect(response["Content-Length"] == "0")
            #expect(response["Mcp-Session-Id"] == "s-1")
            #expect(relay.messages == [message])
        }
    }

    @Test("the answer to initialize brings the new session's id, and no stream may come before it")
    func opened() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1, method: "initialize"), [("MCP-Protocol-Version", "2030-01-01")]))
                let call = await relay.nextCall()
                #expect(!call.sink.acceptsStream)
                call.sink.finish(.opened(call.response("{}"), session: "new"))
                let response = try await client.response()
                #expect(response.status == 200)
                #expect(response["Mcp-Session-Id"] == "new")
            }
        }
    }

    @Test(
        "each outcome has its status",
        arguments: [
            (Answer.message(.error), 200), (.unknownSession(.error), 404), (.unavailable(.error, retryAfter: 3), 503),
        ])
    func outcomes(answer: Answer, status: Int) async throws {
        let relay = FakeRelay { _, sink in
            sink.finish(answer)
            return .pending(CallTicket {})
        }
        try await GatewayFixture.run([relay]) { gateway in
            let response = try await gateway.respond(to: post(call(1), session))
            #expect(response.status == status)
            #expect(response.text == "error")
            #expect(response["Retry-After"] == (status == 503 ? "3" : nil))
            #expect(response["Mcp-Session-Id"] == (status == 200 ? "s-1" : nil))
        }
    }

    @Test(
        "each refusal of the core has its status",
        arguments: [
            (Refusal.invalid, 400), (.unknownSession, 404), (.unavailable(retryAfter: 7), 503),
        ])
    func refusals(refusal: Refusal, status: Int) async throws {
        let relay = FakeRelay { _, _ in .refused(refusal, .error) }
        try await GatewayFixture.run([relay]) { gateway in
            let response = try await gateway.respond(to: post(call(1), session))
            #expect(response.status == status)
            #expect(response.text == "error")
            #expect(response["Retry-After"] == (status == 503 ? "7" : nil))
        }
    }

    @Test("an answer of many pieces arrives whole")
    func pieces() async throws {
        let text = String(repeating: "0123456789", count: 100_000)
        let relay = FakeRelay { _, sink in
            var bytes = MessageBytes(ByteBuffer(string: "<"))
            bytes.append(ByteBuffer(string: text))
            bytes.append(ByteBuffer(string: ">"))
            sink.finish(.message(bytes))
            return .accepted
        }
        try await GatewayFixture.run([relay]) { gateway in
            let response = try await gateway.respond(to: post(call(1)))
            #expect(response.text == "<\(text)>")
        }
    }

    @Test("a body that comes in pieces, or in chunks, is one message")
    func bodies() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                let whole = post(call(1))
                try await client.send(String(whole.prefix(whole.count - 20)))
                try await client.send(String(whole.suffix(20)))
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(1))
                let chunks = call(2).map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
                try await client.send(
                    post("", without: ["Content-Length"], [("Transfer-Encoding", "chunked")]) + chunks)
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(2))
            }
            #expect(relay.messages == [call(1), call(2)])
        }
    }

    @Test("a token's principal comes with the message, and its servers are those of its grant")
    func principal() async throws {
        let (files, mail) = (FakeRelay("files"), FakeRelay("mail"))
        let grant = Grant(principal: Principal(name: "ada"), servers: .only(["mail"]))
        try await GatewayFixture.run([files, mail], tokens: ["right": grant]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), to: "/servers/mail/mcp/", [("Authorization", "Bearer right")]))
                let call = await mail.nextCall()
                #expect(call.message.principal.name == "ada")
                call.answer()
                #expect(try await client.response().status == 200)
            }
        }
    }

    @Test("a target in absolute form reaches the same path, in the relay and in the router")
    func absoluteForm() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), to: "http://localhost:1/mcp"))
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(1))
                try await client.send(request("GET", "http://localhost/healthz?x=1"))
                #expect(try await client.response().text == "ok")
                try await client.send(request("GET", "http://evil.example/healthz"))
                #expect(try await client.response().status == 403)
            }
        }
    }
}

extension MessageBytes {
    static let error = MessageBytes(bytes: Array("error".utf8))
}
