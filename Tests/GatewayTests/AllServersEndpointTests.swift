// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import Synchronization
import Testing

@testable import Gateway

@Suite("The endpoint of all servers", .timeLimit(.minutes(1)))
struct AllServersEndpointTests {
    private func name(_ endpoint: RouteTable.Endpoint) -> String? {
        if case .server(let relay) = endpoint { relay.name } else { nil }
    }

    @Test("it has a path of its own, with and without a slash, and is none of the servers")
    func path() {
        let routes = RouteTable([FakeRelay("files"), FakeRelay("mail")], aggregate: FakeRelay("all"))
        #expect(name(routes.endpoint(at: "/all/mcp")) == "all")
        #expect(name(routes.endpoint(at: "/all/mcp/")) == "all")
        #expect(name(routes.endpoint(at: "/servers/all/mcp")) == nil)
        #expect(name(routes.endpoint(at: "/mcp")) == nil)
        #expect(routes.servers.map(\.name) == ["files", "mail"])
        #expect(name(RouteTable([FakeRelay("files")]).endpoint(at: "/all/mcp")) == nil)
    }

    @Test("it is shown to a client that has more than one server")
    func shown() {
        let routes = RouteTable([FakeRelay("files"), FakeRelay("mail")], aggregate: FakeRelay("all"))
        func paths(_ servers: Grant.Servers) -> [String] {
            routes.paths(for: Grant(principal: Principal(name: "ada"), servers: servers))
        }
        #expect(paths(.all) == ["/servers/files/mcp", "/servers/mail/mcp", "/all/mcp"])
        #expect(paths(.only(["mail"])) == ["/servers/mail/mcp"])
    }

    @Test("the servers of a grant go with every message, the second on a connection too")
    func servers() async throws {
        let seen = Mutex<[Grant.Servers]>([])
        let relay = FakeRelay("files") { message, _ in
            seen.withLock { $0.append(message.servers) }
            return .accepted
        }
        let grant = Grant(principal: Principal(name: "ada"), servers: .only(["files", "mail"]))
        try await GatewayFixture.run([relay], tokens: ["right": grant]) { gateway in
            try await gateway.connected { client in
                for _ in 0..<2 {
                    let notice = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
                    try await client.send(post(notice, [("Authorization", "Bearer right")]))
                    #expect(try await client.response().status == 202)
                }
            }
        }
        #expect(seen.withLock { $0 } == [.only(["files", "mail"]), .only(["files", "mail"])])
    }
}
