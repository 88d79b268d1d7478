// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Testing

@testable import Gateway

@Suite("Headers of a modern request", .timeLimit(.minutes(1)))
struct ModernHeaderTests {
    struct Wrong: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: String
        let fields: [(String, String)]
        let code: Int
        let message: String
        let data: String?

        init(
            _ description: String, _ body: String, _ fields: [(String, String)], _ code: Int,
            _ message: String, data: String? = nil
        ) {
            testDescription = description
            (self.body, self.fields, self.code, self.message, self.data) = (body, fields, code, message, data)
        }
    }

    private static let tool = modern(7, "tools/call", params: [#""name":"caf\u00e9 au lait""#])
    private static let capabilities = #""io.modelcontextprotocol/clientCapabilities":{}"#
    private static let levels = "debug, info, notice, warning, error, critical, alert, emergency"

    static let headers: [Wrong] = [
        Wrong(
            "no version", modern(7), copies(version: nil), -32020,
            "the request has no MCP-Protocol-Version header; send its protocol version in one"),
        Wrong(
            "another version", modern(7), copies(version: "2025-11-25"), -32020,
            "the MCP-Protocol-Version header is not the request's protocol version; send the same in both"),
        Wrong(
            "the version twice", modern(7), copies() + [("mcp-protocol-version", modernRevision)], -32020,
            "the request has the header MCP-Protocol-Version more than once; send it once"),
        Wrong(
            "no method", modern(7), copies(nil), -32020, "the request has no Mcp-Method header; send its method in one"),
        Wrong(
            "another method", modern(7), copies("prompts/list"), -32020,
            "the Mcp-Method header is not the request's method; send the same in both"),
        Wrong(
            "a method in another case", modern(7), copies("TOOLS/LIST"), -32020,
            "the Mcp-Method header is not the request's method; send the same in both"),
        Wrong(
            "the method twice", modern(7), copies() + [("Mcp-Method", "tools/list")], -32020,
            "the request has the header Mcp-Method more than once; send it once"),
        Wrong(
            "no name", tool, copies("tools/call"), -32020,
            "the request has no Mcp-Name header; send its params.name in one"),
        Wrong(
            "another name", tool, copies("tools/call", name: "cafe au lait"), -32020,
            "the Mcp-Name header is not the request's params.name; send the same in both"),
        Wrong(
            "a name that nothing in the body is", modern(7, "prompts/get"), copies("prompts/get", name: "x"), -32020,
            "the Mcp-Name header is not the request's params.name; send the same in both"),
        Wrong(
            "another URI", modern(7, "resources/read", params: [#""uri":"file:///a""#]),
            copies("resources/read", name: "file:///b"), -32020,
            "the Mcp-Name header is not the request's params.uri; send the same in both"),
        Wrong(
            "no task", modern(7, "tasks/get", params: [#""taskId":"t""#]), copies("tasks/get"), -32020,
            "the request has no Mcp-Name header; send its params.taskId in one"),
        Wrong(
            "the name twice, where there is none", modern(7), copies(name: "a") + [("Mcp-Name", "a")], -32020,
            "the request has the header Mcp-Name more than once; send it once"),
    ]

    static let unreadable: [Wrong] = [
        "café au lait", "=?base64?Y2Fmw6kgYXUgbGFpd=?=", "=?base64?Y2Fm6SBhdSBsYWl0?=", "=?base64?*?=",
    ].map { (name: String) -> Wrong in
        Wrong(
            "a name that cannot be read: \(name)", tool, copies("tools/call", name: name), -32020,
            "the Mcp-Name header is neither printable ASCII nor '=?base64?', base64 of UTF-8 and '?='; "
                + "encode it as the specification says")
    }

    static let metadata: [Wrong] = [
        Wrong(
            "a version that is no string", modern(7, version: "20260728"), copies(), -32602,
            "params._meta has no string 'io.modelcontextprotocol/protocolVersion'; every request of this revision "
                + "needs one"),
        Wrong(
            "a version that is not spoken, whatever the method", modern(7, version: #""2027-01-01""#),
            copies("x", version: "2027-01-01"), -32022,
            "protocol version '2027-01-01' is not supported; use 2026-07-28",
            data: #"{"supported":["2026-07-28"],"requested":"2027-01-01"}"#),
        Wrong(
            "a version of the other era", modern(7, version: #""2025-11-25""#), copies(version: "2025-11-25"), -32022,
            "protocol version '2025-11-25' is not supported; use 2026-07-28",
            data: #"{"supported":["2026-07-28"],"requested":"2025-11-25"}"#),
        Wrong(
            "no capabilities, whatever the method", modern(7, meta: []), copies(nil), -32602,
            "params._meta has no object 'io.modelcontextprotocol/clientCapabilities'; every request of this revision "
                + "needs one"),
        Wrong(
            "no log level", modern(7, meta: [capabilities, #""io.modelcontextprotocol/logLevel":"loud""#]), copies(),
            -32602, "'io.modelcontextprotocol/logLevel' must be one of \(levels)"),
    ]

    @Test(
        "that are not what the body says are refused, and the connection goes on",
        arguments: [headers, unreadable, metadata].flatMap { $0 })
    func wrong(request: Wrong) async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                // Twice, since the second head is not read again.
                for _ in 1...2 {
                    try await client.send(post(request.body, request.fields + [("Mcp-Session-Id", "s-1")]))
                    let response = try await client.response()
                    #expect(response.status == 400)
                    #expect(response.text == failure(request.code, request.message, id: 7, data: request.data))
                    #expect(response["Content-Type"] == "application/json")
                    #expect(response["Connection"] == nil)
                    #expect(response["Mcp-Session-Id"] == nil)
                }
            }
        }
        #expect(relay.messages.isEmpty)
    }

    @Test(
        "are compared once they are decoded, by any spelling of their names",
        arguments: [
            (modern(1), [("mcp-protocol-version", " 2026-07-28\t"), ("MCP-METHOD", " tools/list ")]),
            (modern(1, #"tools\/list"#), copies()),
            (modern(1, version: #""2026-\u0030\u0037-28""#), copies()),
            (tool, copies("tools/call", name: "=?base64?Y2Fmw6kgYXUgbGFpdA==?=")),
            (modern(1, "prompts/get", params: [#""name":"a b""#]), copies("prompts/get", name: "  a b ")),
            (modern(1, "resources/read", params: [#""uri":"x:/1""#]), copies("resources/read", name: "x:/1")),
            (modern(1, "tasks/cancel", params: [#""taskId":"t""#]), copies("tasks/cancel", name: "t")),
            // Nothing to compare with: the request is wrong by itself, or has no such header.
            (modern(1, "tools/call"), copies("tools/call")),
            (modern(1, params: [#""name":"a""#]), copies(name: "b")),
            (modern(1, meta: [capabilities, #""io.modelcontextprotocol/logLevel":"info""#]), copies()),
        ])
    func right(body: String, fields: [(String, String)]) async throws {
        let relay = FakeRelay.tellingEras()
        try await GatewayFixture.run([relay]) { gateway in
            let response = try await gateway.respond(to: post(body, fields))
            #expect(response.status == 200)
            #expect(relay.messages == [body])
        }
    }

    @Test("for arguments reach the core as they were written, and only with a modern request")
    func parameters() async throws {
        let relay = FakeRelay()
        relay.addSession("s-1")
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                let more = [
                    ("Mcp-Param-Region", " eu \t"), ("MCP-PARAM-x", "=?base64?YQ==?="), ("mcp-param-region", "us"),
                    ("Mcp-Param-", "no name"),
                ]
                let fields = [
                    ParameterField(name: "mcp-param-region", value: "eu"),
                    ParameterField(name: "mcp-param-x", value: "=?base64?YQ==?="),
                    ParameterField(name: "mcp-param-region", value: "us"),
                ]
                for id in 1...2 {
                    try await client.send(post(modern(id), copies() + more))
                    let call = await relay.nextCall()
                    #expect(call.message.parameterFields == fields)
                    call.answer()
                    #expect(try await client.response().text == result(id))
                }
                try await client.send(post(call(3), [("Mcp-Session-Id", "s-1")] + more))
                let legacy = await relay.nextCall()
                #expect(legacy.message.parameterFields.isEmpty)
                legacy.answer()
                _ = try await client.response()
            }
        }
    }

    @Test("that are the same again are compared with the body again")
    func again() async throws {
        let relay = FakeRelay.tellingEras()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                let fields = copies("tools/call", name: "a")
                let bodies = ["a", "b", "a"].map { modern(1, "tools/call", params: [#""name":"\#($0)""#]) }
                for (body, status) in zip(bodies, [200, 400, 200]) {
                    try await client.send(post(body, fields))
                    #expect(try await client.response().status == status)
                }
                // A legacy request between them keeps its session, and so does one after them.
                let mixed = fields + [("Mcp-Session-Id", "s-1")]
                try await client.send(post(bodies[0], mixed))
                #expect(try await client.response()["Mcp-Session-Id"] == nil)
                let known = copies(nil, version: "2025-11-25") + [("Mcp-Session-Id", "s-1")]
                for (body, session) in [(modern(1), nil), (call(1), "s-1"), (modern(1), nil), (call(1), "s-1")] {
                    try await client.send(post(body, known))
                    #expect(try await client.response()["Mcp-Session-Id"] == session)
                }
            }
        }
    }

    @Test("of sessions are not looked at", arguments: ["s-1", "a b", ""])
    func sessions(session: String) async throws {
        let relay = FakeRelay.tellingEras()
        try await GatewayFixture.run([relay]) { gateway in
            let fields = copies() + [("Mcp-Session-Id", session), ("Last-Event-ID", "g1.1")]
            let response = try await gateway.respond(to: post(modern(1), fields))
            #expect(response.status == 200)
            #expect(response["Mcp-Session-Id"] == nil)
            #expect(response.text == result(1, #""modern, no session""#))
        }
    }

    @Test("that come twice are refused to a legacy message as ever, where they decide something")
    func legacyTwice() async throws {
        let relay = FakeRelay.tellingEras()
        try await GatewayFixture.run([relay]) { gateway in
            let twice = [("MCP-Protocol-Version", "2025-11-25"), ("mcp-protocol-version", "2025-11-25")]
            let sentence = "the request has the header MCP-Protocol-Version more than once; send it once"
            let posted = try await gateway.respond(to: post(call(7), twice))
            #expect(posted.status == 400)
            #expect(posted.text == failure(-32600, sentence, id: 7))
            let opened = try await gateway.respond(to: request("GET", "/mcp", [("Host", "localhost")] + twice))
            #expect(opened.status == 400)
            #expect(opened.text == failure(-32600, sentence))
            let names = [("Mcp-Method", "a"), ("Mcp-Method", "b"), ("Mcp-Name", "a"), ("Mcp-Name", "b")]
            #expect(try await gateway.respond(to: post(call(7), names)).status == 200)
        }
    }
}
