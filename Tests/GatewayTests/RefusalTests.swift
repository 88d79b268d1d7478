// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Testing

@testable import Gateway

/// One refused request, and what it is answered with.
struct RefusedRequest: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let request: String
    let status: Int
    let body: String
    var headers: [String: String] = [:]
}

@Suite("Refusals on the wire", .timeLimit(.minutes(1)))
struct RefusalTests {
    private static let auth = [("Authorization", "Bearer right")]
    private static let version = "; send the version that initialize gave"

    static let withoutToken: [RefusedRequest] = [
        .init(
            testDescription: "no token", request: post(call(1)), status: 401,
            body: failure(-32600, "a bearer token is needed; send 'Authorization: Bearer <token>'"),
            headers: ["WWW-Authenticate": #"Bearer realm="lodge""#]),
        .init(
            testDescription: "wrong token", request: post(call(1), [("Authorization", "Bearer wrong")]), status: 401,
            body: failure(
                -32600, "the bearer token is not known or has expired; use the one that lodge gave when it started"),
            headers: ["WWW-Authenticate": #"Bearer realm="lodge", error="invalid_token""#]),
        .init(
            testDescription: "no token, a server that is not there", request: post(call(1), to: "/servers/none/mcp"),
            status: 401, body: failure(-32600, "a bearer token is needed; send 'Authorization: Bearer <token>'")),
        .init(
            testDescription: "no token, wrong method", request: request("PUT", "/mcp"), status: 401,
            body: failure(-32600, "a bearer token is needed; send 'Authorization: Bearer <token>'")),
        .init(
            testDescription: "no token, unknown path", request: request("GET", "/secret"), status: 404,
            body: failure(-32600, "there is nothing at this path")),
        .init(
            testDescription: "no token, status", request: request("GET", "/status"), status: 401,
            body: failure(-32600, "a bearer token is needed; send 'Authorization: Bearer <token>'")),
        .init(
            testDescription: "no token, discovery",
            request: request("GET", "/.well-known/oauth-protected-resource/mcp"), status: 404,
            body: failure(
                -32600, "this broker has no authorization server; use a token that its owner gave you")),
    ]

    static let withToken: [RefusedRequest] = [
        .init(
            testDescription: "wrong host", request: post(call(1), auth + [("Host", "evil.example")]), status: 403,
            body: failure(
                -32600,
                "the Host of the request is not allowed; use a loopback name, or start lodge with --allow-host")),
        .init(
            testDescription: "wrong host, router", request: request("GET", "/healthz", [("Host", "evil.example")]),
            status: 403,
            body: failure(
                -32600,
                "the Host of the request is not allowed; use a loopback name, or start lodge with --allow-host")),
        .init(
            testDescription: "no host", request: post(call(1), without: ["Host"], auth), status: 400,
            body: failure(-32600, "the request has no Host header; send one"), headers: ["Connection": "close"]),
        .init(
            testDescription: "two hosts", request: post(call(1), auth + [("host", "evil.example")]), status: 400,
            body: failure(-32600, "the request has the header Host more than once; send it once")),
        .init(
            testDescription: "wrong origin", request: post(call(1), auth + [("Origin", "http://evil.example")]),
            status: 403,
            body: failure(
                -32600, "the Origin of the request is not allowed; start lodge with --allow-origin to allow it")),
        .init(
            testDescription: "wrong origin, OPTIONS",
            request: request("OPTIONS", "/mcp", [("Host", "localhost"), ("Origin", "http://evil.example")]),
            status: 403,
            body: failure(
                -32600, "the Origin of the request is not allowed; start lodge with --allow-origin to allow it")),
        .init(
            testDescription: "server outside the grant", request: post(call(1), to: "/servers/mail/mcp", auth),
            status: 404,
            body: failure(-32600, "there is nothing at this path; this broker has /mcp, /servers/files/mcp")),
        .init(
            testDescription: "server that is not there", request: post(call(1), to: "/servers/none/mcp", auth),
            status: 404,
            body: failure(-32600, "there is nothing at this path; this broker has /mcp, /servers/files/mcp")),
        .init(
            testDescription: "unknown path", request: request("GET", "/nowhere", [("Host", "localhost")] + auth),
            status: 404,
            body: failure(-32600, "there is nothing at this path; this broker has /mcp, /servers/files/mcp")),
        .init(
            testDescription: "wrong method", request: request("PUT", "/mcp/", [("Host", "localhost")] + auth),
            status: 405, body: failure(-32600, "the method is not one of this path; use POST, GET, DELETE"),
            headers: ["Allow": "POST, GET, DELETE"]),
        .init(
            testDescription: "wrong content type", request: post(call(1), auth + [("Content-Type", "text/plain")]),
            status: 415, body: failure(-32600, "the Content-Type of the request must be application/json")),
        .init(
            testDescription: "no content type", request: post(call(1), without: ["Content-Type"], auth), status: 415,
            body: failure(-32600, "the Content-Type of the request must be application/json")),
        .init(
            testDescription: "encoded body", request: post(call(1), auth + [("Content-Encoding", "gzip")]), status: 415,
            body: failure(-32600, "the body of the request must not be encoded; leave Content-Encoding out")),
        .init(
            testDescription: "JSON accepted only", request: post(call(1), auth + [("Accept", "application/json")]),
            status: 406,
            body: failure(
                -32600, "the Accept of the request must admit both application/json and text/event-stream")),
        .init(
            testDescription: "stream that is not accepted",
            request: request("GET", "/mcp", [("Host", "localhost"), ("Accept", "application/json")] + auth),
            status: 406, body: failure(-32600, "the Accept of the request must admit text/event-stream")),
        .init(
            testDescription: "stream without a session",
            request: request("GET", "/mcp", [("Host", "localhost")] + auth),
            status: 400,
            body: failure(
                -32600, "the request has no Mcp-Session-Id; initialize first and send the id that it gives")),
        .init(
            testDescription: "stream of an unknown session",
            request: request("GET", "/mcp", [("Host", "localhost"), ("Mcp-Session-Id", "gone")] + auth), status: 404,
            body: failure(-32001, "the session is unknown or has ended; initialize again")),
        .init(
            testDescription: "end of an unknown session",
            request: request("DELETE", "/mcp", [("Host", "localhost"), ("Mcp-Session-Id", "gone")] + auth), status: 404,
            body: failure(-32001, "the session is unknown or has ended; initialize again")),
        .init(
            testDescription: "end of no session", request: request("DELETE", "/mcp", [("Host", "localhost")] + auth),
            status: 400,
            body: failure(
                -32600, "the request has no Mcp-Session-Id; initialize first and send the id that it gives")),
        .init(
            testDescription: "malformed session", request: post(call(1), auth + [("Mcp-Session-Id", "a b")]),
            status: 400,
            body: failure(
                -32600,
                "the Mcp-Session-Id must be 1 to 256 visible ASCII characters; send it as initialize gave it", id: 1)),
        .init(
            testDescription: "unknown version", request: post(call(7), auth + [("MCP-Protocol-Version", "1999-01-01")]),
            status: 400,
            body: #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"message":"the MCP-Protocol-Version is none of "#
                + "2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25" + version + #""}}"#),
        .init(
            testDescription: "unknown expectation", request: post(call(1), auth + [("Expect", "tea")]), status: 417,
            body: failure(-32600, "the expectation of the request is unknown; expect 100-continue or nothing")),
        .init(
            testDescription: "empty body", request: post("", auth), status: 400,
            body: failure(-32700, "the message is empty")),
        .init(
            testDescription: "not JSON", request: post("{nonsense", auth), status: 400,
            body: failure(-32700, "the message is not JSON (byte 1)")),
        .init(
            testDescription: "neither method nor result nor error", request: post(#"{"jsonrpc":"2.0","id":1}"#, auth),
            status: 400,
            body: failure(
                -32600, "the message has neither a method nor a result nor an error; send a JSON-RPC message")),
        .init(
            testDescription: "not an object", request: post("42", auth), status: 400,
            body: failure(
                -32600, "the message has neither a method nor a result nor an error; send a JSON-RPC message")),
        .init(
            testDescription: "batch without a session", request: post("[\(call(1))]", auth), status: 400,
            body: failure(
                -32600,
                "a batch is taken only in a session that negotiated 2025-03-26; send its messages one by one")),
        .init(
            testDescription: "announced body over the limit",
            request: post("", auth + [("Content-Length", "1000001")]), status: 413,
            body: failure(
                -32600, "the body of the request is longer than 1000 bytes; send less, or raise the limit"),
            headers: ["Connection": "close"]),
    ]

    private func check(_ refused: RefusedRequest) async throws {
        let relays = [FakeRelay("files"), FakeRelay("mail")]
        let grant = Grant(principal: Principal(name: "ada"), servers: .only(["files"]))
        var configuration = GatewayConfiguration(defaultServer: "files")
        configuration.limits.requestBody = 1000
        try await GatewayFixture.run(relays, tokens: ["right": grant], configuration: configuration) { gateway in
            let response = try await gateway.respond(to: refused.request)
            #expect(response.status == refused.status)
            #expect(response.text == refused.body)
            #expect(response["Content-Type"] == "application/json")
            for (name, value) in refused.headers { #expect(response[name] == value) }
            #expect(relays.allSatisfy { $0.messages.isEmpty })
        }
    }

    @Test("a client without a token is told nothing", arguments: withoutToken)
    func stranger(refused: RefusedRequest) async throws { try await check(refused) }

    @Test("a wrong request has its own status and sentence, and reaches no server", arguments: withToken)
    func wrong(refused: RefusedRequest) async throws { try await check(refused) }

    @Test("a connection goes on after a refusal")
    func goesOn() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            try await gateway.connected { client in
                try await client.send(post("{", [("Content-Type", "text/plain")]) + request("GET", "/healthz"))
                #expect(try await client.response().status == 415)
                #expect(try await client.response().text == "ok")
            }
        }
    }

    @Test("a chunked body that grows over the limit is refused without reaching the server, and ends the connection")
    func growing() async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.limits.requestBody = 1000
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                let head = post("", without: ["Content-Length"], [("Transfer-Encoding", "chunked")])
                try await client.send(head + "3e9\r\n" + String(repeating: "x", count: 1001) + "\r\n")
                let response = try await client.response()
                #expect(response.status == 413)
                #expect(response["Connection"] == "close")
                try await client.send("0\r\n\r\n")
                try await client.closed()
                #expect(relay.messages.isEmpty)
            }
        }
    }

    @Test("what is no HTTP is answered with 400, and ends the connection")
    func noHTTP() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            try await gateway.connected { client in
                try await client.send("HELLO\r\n\r\n")
                let response = try await client.response()
                #expect(response.status == 400)
                #expect(response.text == failure(-32600, "the request is not HTTP/1.1"))
                try await client.closed()
            }
        }
    }

    @Test("header fields beyond every measure are answered with 431")
    func longHead() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            let fields = [("Host", "localhost"), ("X-Long", String(repeating: "x", count: 100_000))]
            let response = try await gateway.respond(to: request("GET", "/healthz", fields))
            #expect(response.status == 431)
        }
    }
}
