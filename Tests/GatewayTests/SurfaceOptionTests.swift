// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOCore
import Testing

@testable import Gateway

@Suite("Options of the HTTP surface", .timeLimit(.minutes(1)))
struct SurfaceOptionTests {
    /// A19
    @Test("health says that the servers can be used, where that is wanted")
    func health() async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.healthIsReadiness = true
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            #expect(try await gateway.respond(to: request("GET", "/healthz")).text == "ok")
            relay.setReady(false)
            let response = try await gateway.respond(to: request("GET", "/healthz"))
            #expect(response.status == 503)
            #expect(response.text == "not-ready")
        }
    }

    /// D5
    @Test("the headers that a page may read are those that were named")
    func exposed() async throws {
        var configuration = GatewayConfiguration(origins: OriginRule(allowing: ["https://ok.example"]))
        configuration.exposedHeaders = ["mcp-session-id", "X-Other"]
        try await GatewayFixture.run([FakeRelay()], configuration: configuration) { gateway in
            let fields = [("Host", "localhost"), ("Origin", "https://ok.example")]
            let routed = try await gateway.respond(to: request("GET", "/healthz", fields))
            #expect(routed["Access-Control-Expose-Headers"] == "mcp-session-id, X-Other")
            let relayed = try await gateway.respond(to: post("no message", [("Origin", "https://ok.example")]))
            #expect(relayed["Access-Control-Expose-Headers"] == "mcp-session-id, X-Other")
        }
    }

    @Test(
        "read leniently, a message needs no media types and names any revision",
        arguments: [
            [("Content-Type", "text/plain")], [("Accept", "application/json")], [("Accept", "text/html")],
            [("MCP-Protocol-Version", "1999-01-01")],
        ])
    func lenient(fields: [(String, String)]) async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.readsLeniently = true
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), [("Mcp-Session-Id", "s-1")] + fields))
                await relay.nextCall().answer()
                #expect(try await client.response().text == result(1))
            }
        }
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            let strict = try await gateway.respond(to: post(call(1), [("Mcp-Session-Id", "s-1")] + fields))
            #expect((400...415).contains(strict.status))
        }
    }

    @Test(
        "read leniently, only a client that asks for event streams gets one",
        arguments: [("application/json, text/event-stream", true), ("application/json", false), (nil, false)])
    func streams(accept: String?, takesStream: Bool) async throws {
        let relay = FakeRelay()
        var configuration = GatewayConfiguration()
        configuration.readsLeniently = true
        try await GatewayFixture.run([relay], configuration: configuration) { gateway in
            try await gateway.connected { client in
                // Twice, since the second head is not read again.
                for id in 1...2 {
                    let fields = [("Mcp-Session-Id", "s-1")] + (accept.map { [("Accept", $0)] } ?? [])
                    try await client.send(post(call(id), without: accept == nil ? ["Accept"] : [], fields))
                    let waiting = await relay.nextCall()
                    #expect(waiting.sink.acceptsStream == takesStream)
                    waiting.sink.deliver(MessageBytes(ByteBuffer(string: "{}")))
                    waiting.answer()
                    let response = try await client.response()
                    #expect(response["Content-Type"] == (takesStream ? "text/event-stream" : "application/json"))
                }
            }
        }
    }

    @Test("the default server has its further path, and servers their further names")
    func paths() throws {
        let routes = RouteTable(
            [FakeRelay("files"), FakeRelay("mail")], defaultServer: "mail", defaultPath: "/tools",
            aliases: ["My Files": "files", "gone": "nobody"])
        func server(_ path: String) -> String? {
            guard case .server(let relay) = routes.endpoint(at: path) else { return nil }
            return relay.name
        }
        for path in ["/mcp", "/mcp/", "/tools", "/tools/", "/servers/mail/mcp"] { #expect(server(path) == "mail") }
        for path in ["/servers/My Files/mcp", "/servers/My%20Files/mcp/", "/servers/files/mcp"] {
            #expect(server(path) == "files")
        }
        #expect(server("/servers/gone/mcp") == nil)
        #expect(server("/tool") == nil)
    }
}
