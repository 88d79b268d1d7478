// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Testing

@testable import Gateway

@Suite("Paths beside the relay", .timeLimit(.minutes(1)))
struct OtherPathsTests {
    private let origin = ("Origin", "https://ok.example")

    private var shared: GatewayConfiguration {
        GatewayConfiguration(origins: OriginRule(allowing: ["https://ok.example"]))
    }

    @Test("health and readiness say one word, and need no token")
    func words() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], tokens: [:]) { gateway in
            #expect(try await gateway.respond(to: request("GET", "/healthz")).text == "ok")
            #expect(try await gateway.respond(to: request("GET", "/healthz/")).status == 200)
            #expect(try await gateway.respond(to: request("GET", "/readyz")).text == "ready")
            relay.setReady(false)
            let response = try await gateway.respond(to: request("GET", "/readyz"))
            #expect(response.status == 503)
            #expect(response.text == "not-ready")
            #expect(try await gateway.respond(to: request("GET", "/healthz")).text == "ok")
        }
    }

    @Test("HEAD has the length of the body, and no body")
    func head() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            try await gateway.connected { client in
                try await client.send(request("HEAD", "/healthz") + request("GET", "/healthz"))
                let head = try await client.head()
                #expect(head.status == 200)
                #expect(head["Content-Length"] == "2")
            }
        }
    }

    @Test("health takes no other method")
    func wrongMethod() async throws {
        try await GatewayFixture.run([FakeRelay()]) { gateway in
            let response = try await gateway.respond(to: request("DELETE", "/healthz"))
            #expect(response.status == 405)
            #expect(response["Allow"] == "GET")
        }
    }

    @Test("status tells of the servers of the grant, and of no other")
    func status() async throws {
        let grant = Grant(principal: Principal(name: "ada"), servers: .only(["files"]))
        try await GatewayFixture.run([FakeRelay("files"), FakeRelay("mail")], tokens: ["right": grant]) { gateway in
            let fields = [("Host", "localhost"), ("Authorization", "Bearer right")]
            let response = try await gateway.respond(to: request("GET", "/status", fields))
            #expect(response["Content-Type"] == "application/json")
            #expect(
                response.text.hasPrefix(
                    #"{"servers":[{"name":"files","state":"running","isolation":"shared","ready":true,"sessions":0,"#
                        + #""callsInFlight":0,"upstreams":0,"restarts":0,"lateAnswers":0,"unknownAnswers":0,"#
                        + #""lastActivity":"2024-02-29T12:00:00Z"}],"lastActivity":"2024-02-29T12:00:00Z","#
                        + #""api_last_activity":"2024-02-29T12:00:00Z","server_instances":{"files":"running"}}"#))
        }
    }

    @Test("metrics tell of the servers of the grant, and of the process only where the grant reaches all")
    func metrics() async throws {
        let tokens = [
            "some": Grant(principal: Principal(name: "ada"), servers: .only(["files"])),
            "all": Grant(principal: Principal(name: "bob")),
        ]
        try await GatewayFixture.run([FakeRelay("files"), FakeRelay("mail")], tokens: tokens) { gateway in
            func ask(_ token: String) async throws -> RawHTTPResponse {
                let fields = [("Host", "localhost"), ("Authorization", "Bearer \(token)")]
                return try await gateway.respond(to: request("GET", "/metrics", fields))
            }
            let some = try await ask("some")
            #expect(some["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8")
            #expect(some.text.contains("lodge_server_ready{server=\"files\",isolation=\"shared\"} 1\n"))
            #expect(!some.text.contains("mail"))
            #expect(!some.text.contains("lodge_gateway_connections"))
            let all = try await ask("all")
            #expect(all.text.contains("lodge_server_ready{server=\"mail\",isolation=\"shared\"} 1\n"))
            #expect(all.text.contains("# TYPE lodge_gateway_connections gauge\nlodge_gateway_connections "))
            let refusal = try await ask("wrong")
            #expect(refusal.status == 401)
        }
    }

    @Test("labels and help of metrics are escaped as the format asks")
    func metricsEscaping() {
        var text = PrometheusText()
        text.family("f", .counter, "a \\ b\nc \"d\"")
        text.sample("f", 7, labels: [("l", "a\\b\nc\"d"), ("m", "")])
        #expect(
            text.text == #"""
                # HELP f a \\ b\nc "d"
                # TYPE f counter
                f{l="a\\b\nc\"d",m=""} 7

                """#)
    }

    @Test("a preflight needs no token, and names every header that a client of MCP sends")
    func preflight() async throws {
        try await GatewayFixture.run([FakeRelay()], tokens: [:], configuration: shared) { gateway in
            let fields = [("Host", "localhost"), origin, ("Access-Control-Request-Method", "POST")]
            let response = try await gateway.respond(to: request("OPTIONS", "/mcp", fields))
            #expect(response.status == 204)
            #expect(response["Allow"] == "POST, GET, DELETE")
            #expect(response["Access-Control-Allow-Origin"] == "https://ok.example")
            #expect(response["Access-Control-Allow-Methods"] == "POST, GET, DELETE")
            #expect(
                response["Access-Control-Allow-Headers"]
                    == "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, "
                    + "Mcp-Method, Mcp-Name")
            #expect(response["Vary"] == "Origin")
        }
    }

    @Test("a preflight allows the headers of arguments that are asked for, and no others")
    func preflightOfParameters() async throws {
        try await GatewayFixture.run([FakeRelay()], configuration: shared) { gateway in
            let asked = "authorization,mcp-param-region , MCP-Param-X_1, mcp-param-, mcp-param-a b, x-other, mcp-paramx"
            let fields = [("Host", "localhost"), origin, ("Access-Control-Request-Headers", asked)]
            let response = try await gateway.respond(to: request("OPTIONS", "/mcp", fields))
            let allowed = try #require(response["Access-Control-Allow-Headers"])
            #expect(allowed.hasSuffix("Mcp-Method, Mcp-Name, mcp-param-region, MCP-Param-X_1"))
        }
    }

    @Test("only an origin that was allowed by name may read answers", arguments: ["http://localhost:3000", nil])
    func notShared(origin: String?) async throws {
        try await GatewayFixture.run([FakeRelay()], configuration: shared) { gateway in
            let fields = [("Host", "localhost")] + (origin.map { [("Origin", $0)] } ?? [])
            let response = try await gateway.respond(to: request("OPTIONS", "/mcp", fields))
            #expect(response.status == 204)
            #expect(response["Access-Control-Allow-Origin"] == nil)
        }
    }

    @Test("the relay's answers and the gateway's refusals may be read by an origin that was allowed by name")
    func relayed() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], configuration: shared) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), [origin]))
                await relay.nextCall().answer()
                let answer = try await client.response()
                #expect(answer["Access-Control-Allow-Origin"] == "https://ok.example")
                #expect(answer["Access-Control-Expose-Headers"] == "Mcp-Session-Id")
                try await client.send(post("nonsense", [origin]))
                let refusal = try await client.response()
                #expect(refusal.status == 400)
                #expect(refusal["Access-Control-Allow-Origin"] == "https://ok.example")
            }
        }
    }

    @Test("a session is ended once")
    func delete() async throws {
        let relay = FakeRelay()
        relay.addSession("s-1")
        try await GatewayFixture.run([relay]) { gateway in
            let delete = request("DELETE", "/servers/files/mcp", [("Host", "localhost"), ("Mcp-Session-Id", "s-1")])
            let statuses = [try await gateway.respond(to: delete).status, try await gateway.respond(to: delete).status]
            #expect(statuses == [200, 404])
        }
    }
}
