// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

extension ServeRefusals {
    /// A header that a request must not have so, and what is answered.
    struct RefusedHeader: Sendable, CustomTestStringConvertible {
        let name: String
        let changes: [String: String?]
        /// Lines that stand in the head a second time.
        var twice: [String] = []
        let status: Int
        let message: String

        var testDescription: String { name }
        var answer: String { #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"\#(message)"}}"# }

        init(_ name: String, _ changes: [String: String?], twice: [String] = [], _ status: Int, _ message: String) {
            (self.name, self.changes, self.twice, self.status, self.message) = (name, changes, twice, status, message)
        }

        static let host =
            "the Host of the request is not allowed; use a loopback name, or start lodge with --allow-host"
        static let origin = "the Origin of the request is not allowed; start lodge with --allow-origin to allow it"
        static let token = "a bearer token is needed; send 'Authorization: Bearer <token>'"
        static let wrongToken =
            "the bearer token is not known or has expired; use the one that lodge gave when it started"
        static let accept = "the Accept of the request must admit both application/json and text/event-stream"
        static let type = "the Content-Type of the request must be application/json"
        static let encoding = "the body of the request must not be encoded; leave Content-Encoding out"
        static let session =
            "the Mcp-Session-Id must be 1 to 256 visible ASCII characters; send it as initialize gave it"
        static let version =
            "the MCP-Protocol-Version is none of 2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25; send the version that initialize gave"

        /// Whether the body was read before, whose era decides what the header means.
        var needsBody: Bool {
            message == Self.version || message == Self.session || twice.contains { $0.hasPrefix("MCP-Protocol") }
        }

        static func twice(_ line: String) -> Self {
            let name = String(line.prefix { $0 != ":" })
            return Self(
                "\(name) twice", [:], twice: [line], 400,
                "the request has the header \(name) more than once; send it once")
        }

        static let all = [
            Self("no Host", ["Host": nil], 400, "the request has no Host header; send one"),
            Self("a foreign Host", ["Host": "evil.example.com"], 403, host),
            Self("a Host that begins like a loopback name", ["Host": "localhost.evil.example.com"], 403, host),
            Self("a Host that ends like a loopback name", ["Host": "evil.localhost"], 403, host),
            Self("a Host with a user", ["Host": "127.0.0.1@evil.example.com"], 403, host),
            Self("a Host with a port that is none", ["Host": "127.0.0.1:evil"], 403, host),
            Self("an empty Host", ["Host": ""], 403, host),
            Self("a foreign Origin", ["Origin": "https://evil.example.com"], 403, origin),
            Self(
                "an Origin that begins like a loopback name", ["Origin": "http://localhost.evil.example.com"], 403,
                origin),
            Self("the Origin null", ["Origin": "null"], 403, origin),
            Self("an Origin of a file", ["Origin": "file://localhost"], 403, origin),
            Self("no token", ["Authorization": nil], 401, token),
            Self("another scheme", ["Authorization": "Basic bG9kZ2U6"], 401, token),
            Self("a scheme alone", ["Authorization": "Bearer "], 401, token),
            Self("a wrong token", ["Authorization": "Bearer lodge_wrong"], 401, wrongToken),
            Self("two tokens in one", ["Authorization": "Bearer a b"], 401, wrongToken),
            Self("JSON alone accepted", ["Accept": "application/json"], 406, accept),
            Self("events alone accepted", ["Accept": "text/event-stream"], 406, accept),
            Self("another form accepted", ["Accept": "text/html"], 406, accept),
            Self("a form excluded", ["Accept": "application/json, text/event-stream;q=0"], 406, accept),
            Self("no Content-Type", ["Content-Type": nil], 415, type),
            Self("a form as Content-Type", ["Content-Type": "application/x-www-form-urlencoded"], 415, type),
            Self("plain text as Content-Type", ["Content-Type": "text/plain"], 415, type),
            Self("a type that begins like JSON", ["Content-Type": "application/jsonx"], 415, type),
            Self("a compressed body", ["Content-Encoding": "gzip"], 415, encoding),
            Self(
                "an unknown expectation", ["Expect": "200-ok"], 417,
                "the expectation of the request is unknown; expect 100-continue or nothing"),
            Self("an unknown version", ["MCP-Protocol-Version": "1999-01-01"], 400, version),
            Self("an empty version", ["MCP-Protocol-Version": ""], 400, version),
            Self("an empty session", ["Mcp-Session-Id": ""], 400, session),
            Self("a session with a space", ["Mcp-Session-Id": "a b"], 400, session),
            Self("a session that is not ASCII", ["Mcp-Session-Id": "ä"], 400, session),
            Self("a session that is too long", ["Mcp-Session-Id": String(repeating: "x", count: 257)], 400, session),
            .twice("Host: 127.0.0.1"), .twice("Origin: http://localhost"), .twice("Authorization: Bearer x"),
            .twice("Content-Type: application/json"), .twice("Mcp-Session-Id: x"),
            .twice("MCP-Protocol-Version: 2025-11-25"),
        ]
    }

    @Suite("headers", .timeLimit(.minutes(1))) struct HeaderRefusalTests {
        /// A-G10, A18, X4
        @Test("a request with a wrong header is refused and does not reach the server", arguments: RefusedHeader.all)
        func refused(header: RefusedHeader) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("counting")) { lodge in
                let client = try await lodge.client()
                var other = try await lodge.stranger()
                (other.session, other.version) = (client.session, client.version)
                var changes = header.changes
                if header.twice.contains(where: { $0.hasPrefix("Origin") }) { changes["Origin"] = "http://localhost" }
                var bytes = other.request("POST", body: Array(MCPClient.call("hit", #"{"label":"x"}"#).utf8), changes)
                if !header.twice.isEmpty {
                    let text = String(buffer: bytes)
                    let line = header.twice.joined(separator: "\r\n")
                    bytes = ByteBuffer(string: text.replacing("Accept:", with: "\(line)\r\nAccept:"))
                }
                try await other.connection.send(bytes)
                let answer = try await other.connection.response()
                #expect(answer.status == header.status)
                #expect(answer.text == (header.needsBody ? header.answer.replacing("null", with: "1") : header.answer))
                let count = try await client.call("count")
                #expect(count.json?["result"]?["structuredContent"]?["total"] == 0)
            }
        }

        static let fine: [[String: String?]] = [
            ["Host": "localhost"], ["Host": "LOCALHOST:1"], ["Host": "[::1]:8080"], ["Origin": "http://localhost:3000"],
            ["Origin": "https://127.0.0.1"], ["Accept": nil], ["Accept": "*/*"],
            ["Accept": "text/event-stream;q=0.5,application/json;q=0.9"], ["Accept": "application/*, text/*"],
            ["Content-Type": "Application/JSON; charset=utf-8"], ["MCP-Protocol-Version": nil],
            ["Mcp-Method": "tools/call", "Mcp-Name": "echo"], ["Expect": "100-continue"],
        ]

        /// A29
        @Test("what clients differ in is taken", arguments: fine) func accepted(changes: [String: String?]) async throws
        {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                try await client.send(MCPClient.echo("hi"), changes)
                if changes["Expect"] != nil { #expect(try await client.connection.response().status == 100) }
                #expect(try await client.connection.response().text == MCPClient.text("hi"))
            }
        }

        /// A-G10
        @Test("a refusal for want of a token says how to authenticate") func challenge() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                let missing = try await client.post(MCPClient.echo("hi"), ["Authorization": nil])
                #expect(missing["WWW-Authenticate"] == #"Bearer realm="lodge""#)
                let wrong = try await client.post(MCPClient.echo("hi"), ["Authorization": "Bearer wrong"])
                #expect(wrong["WWW-Authenticate"] == #"Bearer realm="lodge", error="invalid_token""#)
                #expect(try await client.echoes())
            }
        }

        static let methods = ["PUT", "PATCH", "HEAD", "TRACE", "PROPFIND"]

        /// X4
        @Test("a method that an endpoint does not have gets 405 with those that it has", arguments: methods)
        func wrongMethod(method: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                try await client.connection.send(client.request(method))
                let answer = try await client.connection.head()
                #expect(answer.status == 405)
                #expect(answer["Allow"] == "POST, GET, DELETE")
            }
        }

        /// X4
        @Test("the stream has refusals of its own") func streamRefusals() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let stranger = try await lodge.stranger()
                let none = try await stranger.ask("GET")
                #expect(none.status == 400)
                #expect(
                    none.text.contains(
                        "the request has no Mcp-Session-Id; initialize first and send the id that it gives"))
                let client = try await lodge.client()
                let json = try await client.ask("GET", nil, ["Accept": "application/json"])
                #expect(json.status == 406)
                #expect(json.text.contains("the Accept of the request must admit text/event-stream"))
                let unknown = try await client.ask("GET", nil, ["Mcp-Session-Id": "x"])
                #expect(unknown.status == 404)
                #expect(try await client.ask("GET", nil, ["MCP-Protocol-Version": "1"]).status == 400)
                #expect(try await client.ask("GET", nil, ["Authorization": nil]).status == 401)
                #expect(try await client.echoes())
            }
        }

        /// X4
        @Test("what is not HTTP/1.1 is refused and its connection closed")
        func malformed() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                for bytes in [
                    "hello\r\n\r\n", "POST /mcp\r\n\r\n", "POST /mcp HTTP/1.1\r\nHost 127.0.0.1\r\n\r\n",
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: -1\r\n\r\n",
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
                    "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n",
                ] {
                    let client = try await lodge.stranger()
                    try await client.connection.send(bytes)
                    let answer = try await client.connection.response()
                    #expect((400...431).contains(answer.status), "\(bytes.prefix(40))")
                    #expect(answer.status != 401)
                    try await client.connection.closed()
                }
                #expect(try await lodge.client().echoes())
            }
        }

        /// X4
        @Test("an unknown path tells its neighbours to those with a token alone") func unknownPath() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                let known = try await client.ask("GET", "/nowhere")
                #expect(known.status == 404)
                #expect(
                    known.text == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"#
                        + #""there is nothing at this path; this broker has /mcp, /servers/fixtureserver/mcp"}}"#)
                let stranger = try await client.ask("GET", "/nowhere", ["Authorization": nil])
                #expect(stranger.status == 404)
                #expect(
                    stranger.text
                        == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"there is nothing at this path"}}"#
                )
                #expect(try await client.ask("GET", "/servers/other/mcp", ["Authorization": nil]).status == 401)
                #expect(try await client.ask("GET", "/servers/other/mcp").status == 404)
            }
        }

        /// X4
        @Test("a trailing slash and the server's own path are the same endpoint") func paths() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                let body = Array(MCPClient.echo("hi").utf8)
                for path in ["/mcp", "/mcp/", "/servers/fixtureserver/mcp", "/servers/fixtureserver/mcp/", "/mcp?x=1"] {
                    try await client.connection.send(client.request("POST", path, body: body))
                    #expect(try await client.connection.response().text == MCPClient.text("hi"))
                }
            }
        }
    }
}
