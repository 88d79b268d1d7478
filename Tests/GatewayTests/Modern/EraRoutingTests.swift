// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Testing

@testable import Gateway

@Suite("The era of a message", .timeLimit(.minutes(1)))
struct EraRoutingTests {
    /// A message, the version that its header names, and what comes of the two.
    struct Cell: Sendable, CustomTestStringConvertible {
        enum Outcome: Sendable {
            case legacy, modern
            /// 202, and the server got it.
            case taken
            /// 202, and the server did not.
            case dropped
            case refused(Int)
        }

        let testDescription: String
        let body: String
        let version: String?
        let outcome: Outcome

        init(_ kind: String, _ body: String, _ version: String?, _ outcome: Outcome) {
            testDescription = "\(kind), \(version ?? "no version")"
            (self.body, self.version, self.outcome) = (body, version, outcome)
        }
    }

    private static let notification = #"{"jsonrpc":"2.0","method":"notifications/x"}"#
    private static let response = #"{"jsonrpc":"2.0","id":5,"result":{}}"#
    private static let known = "2025-11-25"

    private static func cells(_ kind: String, _ body: String, _ outcomes: [(String?, Cell.Outcome)]) -> [Cell] {
        outcomes.map { Cell(kind, body, $0.0, $0.1) }
    }

    static let requests: [Cell] = cells(
        "request without envelope", call(1, method: "tools/list"),
        [
            (nil, .legacy), (known, .legacy), (modernRevision, .refused(-32602)), ("2030-01-01", .refused(-32602)),
            ("1999-01-01", .refused(-32600)), ("v9", .refused(-32600)),
        ])
    static let modernRequests: [Cell] = cells(
        "request with envelope", modern(1),
        [
            (nil, .refused(-32020)), (known, .refused(-32020)), (modernRevision, .modern),
            ("2030-01-01", .refused(-32020)), ("1999-01-01", .refused(-32020)), ("v9", .refused(-32020)),
        ])
    static let handshakes: [Cell] = cells(
        "initialize without envelope", call(1, method: "initialize"),
        [(nil, .legacy), (known, .legacy), (modernRevision, .legacy), ("1999-01-01", .legacy)])
    static let modernHandshakes: [Cell] = cells(
        "initialize with envelope", modern(1, "initialize"),
        [(nil, .refused(-32020)), (known, .refused(-32020)), (modernRevision, .modern)])
    static let notifications: [Cell] = cells(
        "notification", notification,
        [
            (nil, .taken), (known, .taken), (modernRevision, .dropped), ("2030-01-01", .dropped),
            ("1999-01-01", .refused(-32600)),
        ])
    static let responses: [Cell] = cells(
        "response", response,
        [(nil, .taken), (known, .taken), (modernRevision, .refused(-32600)), ("1999-01-01", .refused(-32600))])
    static let batches: [Cell] = [
        Cell("batch", "[\(call(1))]", modernRevision, .refused(-32600)),
        Cell("batch with a modern element", "[\(call(1)),\(modern(2))]", "2025-03-26", .refused(-32600)),
    ]
    static let all: [Cell] = [
        requests, modernRequests, handshakes, modernHandshakes, notifications, responses, batches,
    ].flatMap { $0 }

    @Test("is decided by its body, and its headers have to agree", arguments: all)
    func decided(cell: Cell) async throws {
        let relay = FakeRelay.tellingEras()
        relay.addSession("s-1", version: "2025-03-26")
        try await GatewayFixture.run([relay]) { gateway in
            let method = cell.body.contains("initialize") ? "initialize" : "tools/list"
            let fields = copies(method, version: cell.version) + [("Mcp-Session-Id", "s-1")]
            // The headers of the modern era mean nothing to a legacy message, right or wrong.
            let response = try await gateway.respond(to: post(cell.body, fields + [("Mcp-Name", "=?base64?!?=")]))
            switch cell.outcome {
            case .legacy:
                #expect(response.status == 200)
                let session = cell.version == modernRevision ? "no session" : "s-1"
                #expect(response.text == result(1, #""legacy, \#(session)""#))
            case .modern:
                #expect(response.status == 200)
                #expect(response.text == result(1, #""modern, no session""#))
                #expect(response["Mcp-Session-Id"] == nil)
            case .taken, .dropped:
                #expect(response.status == 202)
                #expect(response.text.isEmpty)
            case .refused(let code):
                #expect(response.status == 400)
                let isRequest = cell.body.contains("method") && cell.body.hasPrefix("{") && cell.body.contains(#""id""#)
                let start = #"{"jsonrpc":"2.0","id":\#(isRequest ? "1" : "null"),"error":{"code":\#(code),"#
                #expect(response.text.hasPrefix(start), "\(response.text)")
            }
            let reaches =
                switch cell.outcome {
                case .legacy, .modern, .taken: true
                case .dropped, .refused: false
                }
            #expect(relay.messages == (reaches ? [cell.body] : []))
        }
    }

    @Test(
        "what it lacks or has too much of is said in words",
        arguments: [
            (
                call(7, method: "tools/list"),
                #"{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"params._meta has no string "#
                    + #"'io.modelcontextprotocol/protocolVersion'; every request of this revision needs one"}}"#
            ),
            (
                response,
                failure(
                    -32600,
                    "this revision has no responses of a client; send what was asked for with the request again")
            ),
            ("[\(call(7))]", failure(-32600, "the modern era has no batches; send the messages one by one")),
        ])
    func words(body: String, text: String) async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            let answer = try await gateway.respond(to: post(body, copies()))
            #expect(answer.status == 400)
            #expect(answer.text == text)
            #expect(answer["Connection"] == nil)
        }
    }

    @Test("read leniently, only the body says that a request is modern")
    func lenient() async throws {
        var configuration = GatewayConfiguration()
        configuration.readsLeniently = true
        try await GatewayFixture.run([FakeRelay.tellingEras()], configuration: configuration) { gateway in
            let session = [("Mcp-Session-Id", "s-1")]
            let legacy = try await gateway.respond(to: post(call(1), copies() + session))
            #expect(legacy.text == result(1, #""legacy, s-1""#))
            let right = try await gateway.respond(to: post(modern(1), copies() + session))
            #expect(right.text == result(1, #""modern, no session""#))
            #expect(try await gateway.respond(to: post(modern(1), session)).status == 400)
        }
    }

    @Test("without sessions a modern request is served as everywhere")
    func stateless() async throws {
        let relay = FakeRelay(isStateless: true)
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(modern(1), copies()))
                let call = await relay.nextCall()
                #expect(call.message.isModern)
                call.answer()
                #expect(try await client.response().text == result(1))
            }
            #expect(try await gateway.respond(to: post(modern(1))).status == 400)
        }
    }

    @Test("the methods of sessions are none of the modern era", arguments: ["GET", "DELETE"])
    func methods(method: String) async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            let fields = [("Host", "localhost"), ("Accept", "application/json, text/event-stream")]
            let modern = try await gateway.respond(to: request(method, "/mcp", fields + copies(nil)))
            #expect(modern.status == 405)
            #expect(modern["Allow"] == "POST")
            #expect(modern.text == failure(-32600, "the method is not one of this path; use POST"))
            let legacy = try await gateway.respond(to: request(method, "/mcp", fields + copies(nil, version: "1999")))
            #expect(legacy.status == 400)
            let session = fields + copies(nil) + [("Mcp-Session-Id", "s-1")]
            #expect(try await gateway.respond(to: request(method, "/mcp", session)).status == 400)
        }
    }
}
