// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    @Suite("isolation pool", .timeLimit(.minutes(1))) struct PoolIsolationTests {
        private static let options = ["--isolation", "pool", "--replicas", "3"]

        @Test("so many processes run, and a call goes to one that is idle") func spread() async throws {
            try await LodgeProcess.withServe(Self.options, server: BuiltProducts.everythingServer) { lodge in
                #expect(try await lodge.reaches { $0["upstreams"] == 3 })
                #expect(try await lodge.status()["isolation"] == "pool")
                let asking = try await lodge.client()
                var pids: Set<Int64?> = [try await asking.processID()]
                for held in 1...2 {
                    try await lodge.client().send(MCPClient.call("hold", #"{"name":"h\#(held)"}"#))
                    #expect(try await lodge.reaches { $0["callsInFlight"]?.integer == Int64(held) })
                    pids.insert(try await asking.processID())
                }
                #expect(pids == Set(lodge.servers.map { Int64($0.pid) }))
                #expect(pids.count == 3)
            }
        }

        @Test("a cancellation finds the process that has the call") func cancelled() async throws {
            try await LodgeProcess.withServe(Self.options, server: BuiltProducts.everythingServer) { lodge in
                #expect(try await lodge.reaches { $0["upstreams"] == 3 })
                try await lodge.client().send(MCPClient.call("hold", #"{"name":"first"}"#))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                let client = try await lodge.client()
                try await client.send(MCPClient.call("slow", #"{"seconds":50}"#, id: "3"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 2 })
                var sibling = try await lodge.stranger()
                (sibling.session, sibling.version) = (client.session, client.version)
                _ = try await sibling.post(
                    #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#)
                #expect(try await client.connection.response().text.contains("the call was cancelled by its client"))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                #expect(try await lodge.seen("cancelledNotifications") == 1)
            }
        }

        @Test("a process that ends fails its own call, and the others and every session go on") func crash()
            async throws
        {
            try await LodgeProcess.withServe(
                Self.options + ["--restart-delays", "60"], server: BuiltProducts.everythingServer
            ) { lodge in
                #expect(try await lodge.reaches { $0["upstreams"] == 3 })
                let (held, client) = (try await lodge.client(), try await lodge.client())
                // The catalog has this one, so that it is another that ends.
                try await held.send(MCPClient.call("hold", #"{"name":"mine"}"#))
                #expect(try await lodge.reaches { $0["callsInFlight"] == 1 })
                let failed = try await client.call("exit", #"{"status":3}"#)
                #expect(failed.text.contains("ended with exit status 3 before it answered"))
                #expect(try await lodge.reaches { $0["upstreams"] == 2 && $0["callsInFlight"] == 1 })
                #expect(try await lodge.status()["ready"] == true)
                for id in 1...4 { #expect(try await client.echoes("again", id: "\(id)")) }
                let list = try await client.post(#"{"jsonrpc":"2.0","id":5,"method":"tools/list"}"#)
                #expect(list.json?["result"]?["tools"]?.elements?.isEmpty == false)
            }
        }

        @Test("a client is told of no capability that it cannot have") func capabilities() async throws {
            for (isolation, absent) in [
                ("shared", ["logging", "tasks"]), ("pool", ["logging", "tasks"]), ("call", ["tasks"]), ("client", []),
            ] {
                try await LodgeProcess.withServe(
                    ["--isolation", isolation], server: BuiltProducts.everythingServer
                ) { lodge in
                    let answer = try await lodge.stranger().post(MCPClient.initialize())
                    let told = answer.json?["result"]?["capabilities"]
                    #expect(["logging", "tasks"].filter { told?[$0] == nil } == absent)
                    #expect(told?["tools"] == ["listChanged": true])
                }
            }
        }
    }
}
