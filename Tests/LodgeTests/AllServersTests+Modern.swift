// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

/// Clients of 2026-07-28 at the endpoint of all servers, whose servers speak 2025-11-25.
extension AllServersTests {
    private static let servers = ["one", "two"].map { TestServers.everything($0).with("isolation", "client") }

    @Test("a modern client discovers, lists, reads and calls two servers as one") func modern() async throws {
        try await session(Self.servers) { run, ready in
            let client = try await ModernAllServersClient(ready)
            let discovered = try await client.result("server/discover")
            #expect(discovered?["supportedVersions"] == [.string(ModernAllServersClient.version)])
            #expect(discovered?["capabilities"]?["resources"] == ["listChanged": true, "subscribe": true])
            let meta: JSONValue? = discovered?["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"]
            #expect(meta == "lodge")
            let list = try await client.result("tools/list")
            #expect([list?["resultType"], list?["ttlMs"], list?["cacheScope"]] == ["complete", 0, "private"])
            let tools = list?["tools"]?.elements?.compactMap { $0["name"]?.string } ?? []
            #expect(tools.count == 2 * Set(tools.map { $0.dropFirst(5) }).count)
            var pids: Set<Int64?> = []
            for server in ["one", "two"] {
                let answer = try await client.result("tools/call", #""arguments":{}"#, name: "\(server)__whoami")
                #expect(answer?["resultType"] == "complete")
                pids.insert(answer?["structuredContent"]?["pid"]?.integer)
            }
            #expect(pids.count == 2)
            #expect(pids.isSubset(of: Set(run.family.members.map { Int64($0.pid) })))
            for uri in ["test://static-text", "lodge+two:test://static-text"] {
                let read = try await client.result("resources/read", name: uri)
                #expect(read?["contents"]?.elements?.first?["uri"] == .string(uri))
            }
            #expect(try await client.post("tools/call", name: "three__whoami").status == 400)
            #expect(try await client.post("ping").status == 404)
        }
    }

    @Test("each server's question to a modern client is answered by its retry, and reaches that server")
    func modernQuestions() async throws {
        try await session(Self.servers) { _, ready in
            let client = try await ModernAllServersClient(ready, capabilities: #"{"elicitation":{}}"#)
            var asked: [(server: String, key: String, state: String)] = []
            for server in ["one", "two"] {
                let result = try #require(
                    try await client.result(
                        "tools/call", #""arguments":{"message":"I am \#(server)"}"#,
                        name: "\(server)__test_elicitation"))
                #expect(result["resultType"] == "input_required")
                let question = try #require(result["inputRequests"]?.members?.first)
                #expect(question.value["params"]?["message"] == .string("I am \(server)"))
                asked.append((server, question.name, try #require(result["requestState"]?.string)))
            }
            func retry(_ server: String, _ key: String, _ state: String) async throws -> RawHTTPResponse {
                try await client.post(
                    "tools/call",
                    #""arguments":{"message":"I am \#(server)"},"requestState":"\#(state)","#
                        + #""inputResponses":{"\#(key)":{"action":"accept","content":{"username":"\#(server)","email":"e"}}}"#,
                    name: "\(server)__test_elicitation", id: "2")
            }
            // A state means nothing to the other server.
            #expect(try await retry("one", asked[1].key, asked[1].state).status == 400)
            for (server, key, state) in asked.reversed() {
                let answer = try await retry(server, key, state)
                #expect(answer.status == 200)
                #expect(answer.text.contains(#"\"username\":\"\#(server)\""#), "\(answer.text)")
            }
        }
    }

    @Test("a modern client listens to two servers by one request, and hears of each under its own id")
    func modernListening() async throws {
        try await session(Self.servers) { _, ready in
            let (client, listener) = (try await ModernAllServersClient(ready), try await ModernAllServersClient(ready))
            try await listener.send(
                "subscriptions/listen",
                #""notifications":{"toolsListChanged":true,"#
                    + #""resourceSubscriptions":["test://static-text","lodge+two:test://static-text"]}"#, id: #""ear""#)
            #expect(try await listener.connection.head()["Content-Type"] == "text/event-stream")
            let tag = #"{"_meta":{"io.modelcontextprotocol/subscriptionId":"ear"}"#
            func told(_ notification: String, _ params: String = "") -> String {
                #"{"jsonrpc":"2.0","method":"notifications/\#(notification)","params":\#(tag)\#(params)}}"#
            }
            #expect(
                try await listener.connection.message()?.data
                    == told(
                        "subscriptions/acknowledged",
                        #","notifications":{"toolsListChanged":true,"#
                            + #""resourceSubscriptions":["test://static-text","lodge+two:test://static-text"]}"#))
            for (server, uri) in [("two", "lodge+two:test://static-text"), ("one", "test://static-text")] {
                _ = try await client.result(
                    "tools/call", #""arguments":{"uri":"test://static-text"}"#,
                    name: "\(server)__notify_resource_updated")
                #expect(
                    try await listener.connection.message()?.data
                        == told("resources/updated", #","uri":"\#(uri)""#))
            }
            _ = try await client.result("tools/call", #""arguments":{}"#, name: "two__test_trigger_tool_change")
            #expect(try await listener.connection.message()?.data == told("tools/list_changed"))
            await listener.connection.close()
            // What the client left watching is given up at the servers.
            for server in ["one", "two"] {
                #expect(
                    try await eventuallyUnwatched(client, server))
            }
        }
    }

    private func eventuallyUnwatched(_ client: ModernAllServersClient, _ server: String) async throws -> Bool {
        for _ in 0..<200 {
            let seen = try await client.result("tools/call", #""arguments":{}"#, name: "\(server)__subscriptions")
            if seen?["structuredContent"]?["subscribed"] == [] { return true }
        }
        return false
    }
}
