// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

extension ServeLoad {
    @Suite("clients that break off", .timeLimit(.minutes(3))) struct DisconnectTests {
        /// How a client leaves.
        enum Way: CaseIterable {
            case idle, halfHead, halfBody, duringCall, duringStream, sessionStream, behindAnswer, duringInitialize
        }

        /// A25
        @Test(
            "after 1,000 abrupt ends descriptors, sessions and calls are what they were before",
            arguments: ["shared", "client"])
        func thousandEnds(isolation: String) async throws {
            try await LodgeProcess.withServe(
                ["--isolation", isolation], server: BuiltProducts.fixture("slow")
            ) { lodge in
                let steady = try await lodge.client()
                let sessions = try await lodge.client()
                #expect(try await lodge.reaches { $0["upstreams"] == (isolation == "shared" ? 1 : 2) })
                #expect(await eventually { lodge.servers.count == (isolation == "shared" ? 1 : 2) })
                let before = lodge.descriptorCount
                // In isolation client each initialize is a process, so there it is done less often.
                let rounds = isolation == "shared" ? 125 : 20
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask {
                            for round in 0..<rounds {
                                for way in Way.allCases where way != .duringInitialize || round % 8 == 0 {
                                    try await Self.breakOff(way, lodge, sessions)
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try await lodge.reaches { $0["callsInFlight"] == 0 })
                #expect(try await lodge.reaches { $0["sessions"] == 2 } || isolation == "shared")
                #expect(
                    await eventually { lodge.descriptorCount == before },
                    "\(lodge.descriptorCount) instead of \(before)")
                #expect(try await steady.echoes())
                #expect(await eventually { lodge.servers.count == (isolation == "shared" ? 1 : 2) })
            }
        }

        private static func breakOff(_ way: Way, _ lodge: LodgeProcess, _ owner: MCPClient) async throws {
            let connection = try await RawHTTPClient.connect(to: .tcp(host: lodge.host, port: lodge.port))
            var client = MCPClient(lodge: lodge, connection: connection)
            if way != .duringInitialize { (client.session, client.version) = (owner.session, owner.version) }
            switch way {
            case .idle: break
            case .halfHead: try await connection.send("POST \(lodge.path) HTTP/1.1\r\nHost: 127.")
            case .halfBody:
                var request = client.request("POST", body: Array(MCPClient.echo("hi").utf8))
                try await connection.send(request.readSlice(length: request.readableBytes - 7) ?? request)
            case .duringCall: try await client.send(MCPClient.call("wait", #"{"ms":100000}"#))
            case .duringStream:
                try await client.send(MCPClient.call("wait", #"{"ms":100000}"#, token: "1"))
            case .sessionStream:
                try await connection.send(client.request("GET"))
                _ = try await connection.head()
            case .behindAnswer: _ = try await client.echoes()
            case .duringInitialize: try await client.send(MCPClient.initialize())
            }
            try await connection.reset()
        }
    }
}
