// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Testing

struct ListenTests {
    private func listen(_ server: ServerProcess, _ id: JSONValue, _ filter: JSONValue) throws -> JSONValue {
        try server.ask(Modern.request(id, "subscriptions/listen", ["notifications": filter]))
    }

    @Test("a listen is acknowledged with what the server honours of it")
    func acknowledgment() throws {
        let server = try ServerProcess()
        let filter: JSONValue = [
            "toolsListChanged": true, "promptsListChanged": false, "weather": true,
            "resourceSubscriptions": ["test://watched-resource"],
        ]
        let first = try listen(server, "l", filter)
        #expect(first["method"] == "notifications/subscriptions/acknowledged")
        #expect(first.subscription == "l")
        #expect(
            first["params"]?["notifications"]
                == ["toolsListChanged": true, "resourceSubscriptions": ["test://watched-resource"]])
    }

    @Test("a filter that is no object is refused")
    func noFilter() throws {
        let refusal = try ServerProcess().ask(Modern.request(1, "subscriptions/listen"))
        #expect(refusal.code == -32_602)
        #expect(refusal.errorMessage == "'notifications' must be an object")
    }

    @Test("changes go to the listens that asked for them, each tagged with its own id")
    func changes() throws {
        let server = try ServerProcess()
        _ = try listen(server, 1, ["toolsListChanged": true])
        _ = try listen(server, "two", ["toolsListChanged": true, "promptsListChanged": true])
        _ = try listen(server, 3, ["resourceSubscriptions": ["test://a"]])
        try server.send(Modern.call(4, "test_trigger_tool_change"))
        let tools = try [server.next(), server.next()]
        #expect(tools.map { $0["method"] } == ["notifications/tools/list_changed", "notifications/tools/list_changed"])
        #expect(tools.map(\.subscription) == [1, "two"])
        #expect(try server.next()["id"] == 4)
        try server.send(Modern.call(5, "notify_resource_updated", ["uri": "test://a"]))
        let updated = try server.next()
        #expect(updated["params"]?["uri"] == "test://a")
        #expect(updated.subscription == 3)
        #expect(try server.next().firstText == "notified")
        // Nobody asked for these.
        let other = try server.ask(Modern.call(6, "notify_resource_updated", ["uri": "test://b"]))
        #expect(other.firstText == "not subscribed")
        #expect(try server.ask(Modern.call(7, "test_trigger_resource_change"))["id"] == 7)
    }

    @Test("a listen that the client cancels ends without a word")
    func cancelled() throws {
        let server = try ServerProcess()
        _ = try listen(server, 1, ["toolsListChanged": true])
        try server.send(Modern.cancel(1))
        #expect(try server.ask(Modern.call(2, "test_trigger_tool_change"))["id"] == 2)
        let answer = try server.ask(Modern.call(3, "subscriptions"))
        #expect(answer["result"]?["structuredContent"]?["cancelledNotifications"] == 1)
        #expect(try server.finish().isEmpty)
    }

    @Test("a listen that the server ends is answered with its id")
    func ended() throws {
        let server = try ServerProcess()
        _ = try listen(server, 1, ["toolsListChanged": true])
        try server.send(Modern.call(2, "end_subscriptions"))
        let answers = try [server.next(), server.next()]
        let listen = try #require(answers.first { $0["id"] == 1 })
        #expect(listen["result"]?["resultType"] == "complete")
        #expect(listen["result"]?["_meta"]?["io.modelcontextprotocol/subscriptionId"] == 1)
        #expect(answers.first { $0["id"] == 2 }?.firstText == "ended 1")
        #expect(try server.ask(Modern.call(3, "test_trigger_tool_change"))["id"] == 3)
    }

    @Test("a listen that is open at the end of the input is answered")
    func shutdown() throws {
        let server = try ServerProcess()
        _ = try listen(server, "l", [:])
        let rest = try server.finish()
        #expect(rest.count == 1)
        #expect(rest.first?["id"] == "l")
        #expect(rest.first?["result"]?["_meta"]?["io.modelcontextprotocol/subscriptionId"] == "l")
    }
}
