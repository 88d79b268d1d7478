// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

extension ServeRefusals {
    /// A body that is refused, and the one answer to it.
    struct RefusedBody: Sendable, CustomTestStringConvertible {
        let name: String
        let body: [UInt8]
        let code: Int
        let message: String

        init(_ name: String, _ body: String, _ code: Int, _ message: String) {
            self.init(name, bytes: Array(body.utf8), code, message)
        }

        init(_ name: String, bytes: [UInt8], _ code: Int, _ message: String) {
            (self.name, self.body, self.code, self.message) = (name, bytes, code, message)
        }

        var testDescription: String { name }
        var answer: String { #"{"jsonrpc":"2.0","id":null,"error":{"code":\#(code),"message":"\#(message)"}}"# }

        static let neither = "the message has neither a method nor a result nor an error; send a JSON-RPC message"
        static let nested = String(repeating: "[", count: 5000)

        static let all = [
            Self("empty", "", -32700, "the message is empty"),
            Self("blank", " \r\n\t", -32700, "the message is empty"),
            Self("plain text", "hello", -32700, "the message is not JSON (byte 0)"),
            Self("two values", "{}{}", -32700, "the message is not JSON (byte 2)"),
            Self("a comma too many", #"{"jsonrpc":"2.0","id":1,}"#, -32700, "the message is not JSON (byte 24)"),
            Self("single quotes", "{'id':1}", -32700, "the message is not JSON (byte 1)"),
            Self("not a number", #"{"id":NaN}"#, -32700, "the message is not JSON (byte 6)"),
            Self("a raw control character", "{\"a\":\"\u{1}\"}", -32700, "the message is not JSON (byte 6)"),
            Self("a byte order mark", "\u{FEFF}{}", -32700, "the message is not JSON (byte 0)"),
            Self(
                "cut off", #"{"jsonrpc":"2.0","id":1,"method":"tools/ca"#, -32700,
                "the message ends in the middle of a value (byte 42)"),
            Self("cut off in an escape", #"{"a":"\u00"#, -32700, "the message ends in the middle of a value (byte 10)"),
            Self(
                "not UTF-8", bytes: Array(#"{"a":""#.utf8) + [0xC3, 0x28] + Array("\"}".utf8), -32700,
                "the message is not UTF-8 (byte 6)"),
            Self("UTF-16", bytes: [0x7B, 0, 0x7D, 0], -32700, "the message is not JSON (byte 1)"),
            Self(
                "a lone surrogate in bytes", bytes: Array(#"{"a":""#.utf8) + [0xED, 0xA0, 0x80] + Array("\"}".utf8),
                -32700, "the message is not UTF-8 (byte 6)"),
            Self(
                "too deep", #"{"jsonrpc":"2.0","id":1,"method":"a","params":"# + nested, -32700,
                "the message is nested deeper than 512 levels (byte 557)"),
            Self(
                "an id twice", #"{"jsonrpc":"2.0","id":1,"method":"a","id":2}"#, -32700,
                "the message has the member 'id' twice (byte 37)"),
            Self(
                "a method twice", #"{"jsonrpc":"2.0","id":1,"method":"a","method":"b"}"#, -32700,
                "the message has the member 'method' twice (byte 37)"),
            Self(
                "a method twice, once with escapes", #"{"id":1,"method":"a","\u006dethod":"b"}"#, -32700,
                "the message has the member 'method' twice (byte 21)"),
            Self("an empty object", "{}", -32600, neither),
            Self("a string", #""tools/list""#, -32600, neither),
            Self("a number", "42", -32600, neither),
            Self("null", "null", -32600, neither),
            Self("an id alone", #"{"jsonrpc":"2.0","id":1}"#, -32600, neither),
            Self("a method that is a number", #"{"jsonrpc":"2.0","id":1,"method":1}"#, -32600, neither),
            Self(
                "a batch", #"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#, -32600,
                "a batch is taken only in a session that negotiated 2025-03-26; send its messages one by one"),
        ]
    }

    @Suite("bodies", .timeLimit(.minutes(1))) struct BodyRefusalTests {
        /// A16, X4
        @Test("a body that is no message gets 400 and its own error", arguments: RefusedBody.all)
        func refused(body: RefusedBody) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.script()) { lodge in
                let client = try await lodge.client()
                try await client.connection.send(client.request("POST", body: body.body))
                let answer = try await client.connection.response()
                #expect(answer.status == 400)
                #expect(answer["Content-Type"] == "application/json")
                #expect(answer.text == body.answer)
                // The session and its connection go on, and the server got nothing of it.
                let next = try await client.post(#"{"jsonrpc":"2.0","id":1,"method":"a/b"}"#)
                #expect(next.status == 200)
                #expect(next.json?["result"]?["got"]?["method"] == "a/b")
                #expect(lodge.log.lines(with: "no message").isEmpty)
            }
        }

        /// A17
        @Test("a body over the limit is refused before it is read, and does not reach the server")
        func tooLong() async throws {
            try await LodgeProcess.withServe(
                ["--body-limit", "1000"], server: BuiltProducts.fixture("counting")
            ) { lodge in
                let client = try await lodge.client()
                let over = MCPClient.call("hit", #"{"label":"\#(String(repeating: "x", count: 2000))"}"#)
                let answer = try await client.post(over)
                #expect(answer.status == 413)
                #expect(answer["Connection"] == "close")
                #expect(
                    answer.text == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"#
                        + #""the body of the request is longer than 1000 bytes; send less, or raise the limit"}}"#)
                try await client.connection.closed()
                let count = try await lodge.client().call("count")
                #expect(count.json?["result"]?["structuredContent"]?["total"] == 0)
            }
        }

        /// A17
        @Test("a body over the limit is refused though its length is not announced") func tooLongInChunks() async throws
        {
            try await LodgeProcess.withServe(
                ["--body-limit", "1000"], server: BuiltProducts.fixture("counting")
            ) { lodge in
                let client = try await lodge.client()
                try await client.connection.send(
                    client.request(
                        "POST", body: [], ["Content-Length": nil, "Transfer-Encoding": "chunked"]))
                let chunk = "190\r\n\(String(repeating: " ", count: 400))\r\n"
                for _ in 0..<3 { try await client.connection.send(chunk) }
                #expect(try await client.connection.response().status == 413)
                #expect(try await lodge.status()["callsInFlight"] == 0)
            }
        }

        /// A17
        @Test("a body of just the limit passes") func justTheLimit() async throws {
            let message = MCPClient.echo("hi")
            try await LodgeProcess.withServe(
                ["--body-limit", "\(max(message.utf8.count, 200))"], server: BuiltProducts.fixture("echo")
            ) { lodge in
                let client = try await lodge.client()
                let padded = message + String(repeating: " ", count: max(0, 200 - message.utf8.count))
                #expect(try await client.post(padded).text == MCPClient.text("hi"))
                #expect(try await client.post(padded + " ").status == 413)
            }
        }

        /// A17
        @Test("without a flag the limit is 4 MiB") func standardLimit() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client()
                let message = MCPClient.echo("hi")
                let padded = message + String(repeating: " ", count: (4 << 20) - message.utf8.count)
                #expect(try await client.post(padded).text == MCPClient.text("hi"))
                #expect(try await client.post(padded + " ").status == 413)
            }
        }

        /// A-G13
        @Test("a batch is answered as an array in a session of 2025-03-26") func batch() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client(version: "2025-03-26")
                let messages = [
                    MCPClient.echo("a", id: "1"), #"{"jsonrpc":"2.0","method":"notifications/x"}"#, "7",
                    MCPClient.echo("b", id: "1"), #"{"jsonrpc":"2.0","id":"p","method":"ping"}"#,
                ]
                let answer = try await client.post("[\(messages.joined(separator: ","))]")
                #expect(answer.status == 200)
                #expect(answer["Content-Type"] == "application/json")
                let expected = [
                    MCPClient.text("a"), MCPClient.text("b"), #"{"jsonrpc":"2.0","id":"p","result":{}}"#,
                    #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"\#(RefusedBody.neither)"}}"#,
                ]
                let texts = try JSONValue.parse(answer.body).elements?.map {
                    String(decoding: $0.serialized, as: UTF8.self)
                }
                #expect(texts?.sorted() == expected.sorted())
            }
        }

        /// A-G13
        @Test("a batch that asks nothing gets 202") func batchOfNotifications() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client(version: "2025-03-26")
                let answer = try await client.post("[\(MCPClient.initialized),\(MCPClient.initialized)]")
                #expect(answer.status == 202)
                #expect(answer.body.isEmpty)
            }
        }

        static let batches: [(body: String, message: String)] = [
            ("[]", "the batch is empty; put messages into it"),
            ("[\(MCPClient.initialize())]", "initialize must not stand in a batch; send it alone"),
            (
                "[\(Array(repeating: MCPClient.initialized, count: 257).joined(separator: ","))]",
                "the batch has more than 256 messages; send fewer at a time"
            ),
        ]

        /// A-G13
        @Test("a batch that breaks a rule is refused as a whole", arguments: batches)
        func refusedBatch(body: String, message: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let answer = try await lodge.client(version: "2025-03-26").post(body)
                #expect(answer.status == 400)
                #expect(answer.text == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"\#(message)"}}"#)
            }
        }

        /// A-G13
        @Test("a batch outside its revision is refused", arguments: ["2024-11-05", "2025-06-18", "2025-11-25"])
        func batchElsewhere(version: String) async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.fixture("echo")) { lodge in
                let client = try await lodge.client(version: version)
                #expect(try await client.post("[\(MCPClient.echo("a"))]").status == 400)
                #expect(try await client.echoes())
            }
        }
    }
}
