// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeProcess {
    /// Legacy clients, and modern ones, of a server that speaks 2026-07-28.
    @Suite("a server of 2026-07-28", .timeLimit(.minutes(1))) struct ModernChildTests {
        static let isolations = ["shared", "client"]
        static let capabilities = #"{"sampling":{},"roots":{"listChanged":true},"elicitation":{}}"#

        private func serve(
            _ isolation: String, _ more: [String] = [], _ body: (LodgeProcess) async throws -> Void
        ) async throws {
            try await LodgeProcess.withServe(
                ["--era", "modern", "--isolation", isolation] + more, server: BuiltProducts.everythingServer, body)
        }

        private func text(_ message: String?) -> String? {
            guard let message, let json = try? JSONValue.parse(Array(message.utf8)) else { return nil }
            return json["result"]?["content"]?.elements?.first?["text"]?.string
        }

        @Test("a legacy client initializes, lists and calls", arguments: isolations)
        func calls(isolation: String) async throws {
            try await serve(isolation) { lodge in
                let client = try await lodge.client(version: "2025-06-18", capabilities: Self.capabilities)
                #expect(client.version == "2025-06-18")
                let listed = try await client.post(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
                #expect(listed.json?["result"]?["tools"]?.elements?.isEmpty == false)
                #expect(listed.json?["result"]?["resultType"] == nil)
                let answer = try await client.post(MCPClient.echo("hi", id: "\"x\""))
                #expect(answer.json?["id"] == "x")
                #expect(text(answer.answer) == "hi")
                let seen = try await client.call("subscriptions").json?["result"]?["structuredContent"]
                #expect(seen?["initializeRequests"] == 0)
                #expect(seen?["initializedNotifications"] == 0)
                #expect(seen?["clientInfo"] == ["name": "test", "version": "1"])
                #expect(seen?["clientCapabilities"] == ["sampling": [:], "roots": [:], "elicitation": [:]])
                let status = try await lodge.status()
                #expect(status["protocolVersion"] == "2026-07-28")
                #expect(status["serverInfo"]?["name"] == "everything")
            }
        }

        static let questions: [(tool: String, method: String, answer: String, result: String)] = [
            (
                "test_input_required_result_elicitation", "elicitation/create",
                #"{"action":"accept","content":{"name":"Ann"}}"#, "Hello, Ann!"
            ),
            (
                "test_input_required_result_sampling", "sampling/createMessage",
                #"{"role":"assistant","content":{"type":"text","text":"Paris"},"model":"m"}"#, "Paris"
            ),
            (
                "test_input_required_result_list_roots", "roots/list", #"{"roots":[{"uri":"file:///a"}]}"#,
                "Roots: file:///a"
            ),
            (
                "test_input_required_result_request_state", "elicitation/create",
                #"{"action":"accept","content":{"ok":true}}"#, "state-ok: true"
            ),
        ]

        @Test("what the server wants to know is asked on the call of the client", arguments: isolations, questions)
        func asked(
            isolation: String, question: (tool: String, method: String, answer: String, result: String)
        ) async throws {
            try await serve(isolation) { lodge in
                let client = try await lodge.client(capabilities: Self.capabilities)
                try await client.send(MCPClient.call(question.tool))
                #expect(try await client.connection.head()["Content-Type"] == "text/event-stream")
                let event = try #require(try await client.connection.message()?.data)
                let asked = try JSONValue.parse(Array(event.utf8))
                #expect(asked["method"]?.string == question.method)
                let id = try #require(asked["id"]?.integer)
                var other = try await lodge.stranger()
                (other.session, other.version) = (client.session, client.version)
                let answer = #"{"jsonrpc":"2.0","id":\#(id),"result":\#(question.answer)}"#
                #expect(try await other.post(answer).status == 202)
                #expect(text(try await client.connection.message()?.data) == question.result)
            }
        }

        @Test("a client that declared nothing is not asked", arguments: isolations)
        func undeclared(isolation: String) async throws {
            try await serve(isolation) { lodge in
                let client = try await lodge.client()
                let answer = try await client.call("test_input_required_result_elicitation")
                #expect(answer.json?["error"] != nil)
            }
        }

        @Test("log messages go to the client whose server it is, once it asked for them")
        func logMessages() async throws {
            try await serve("client") { lodge in
                let client = try await lodge.client()
                let silent = try await client.call("log", #"{"level":"error","message":"first"}"#)
                #expect(silent.messages.count <= 1)
                _ = try await client.post(
                    #"{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"info"}}"#)
                let answer = try await client.call("log", #"{"level":"error","message":"second"}"#)
                #expect(answer.messages.first?.contains(#""data":"second""#) == true)
                #expect(text(answer.messages.last) == "logged")
            }
        }

        @Test(
            "subscriptions and changes of lists reach the session's stream, without their tags", arguments: isolations)
        func changes(isolation: String) async throws {
            try await serve(isolation) { lodge in
                let client = try await lodge.client()
                var stream = try await lodge.stranger()
                stream.session = client.session
                try await stream.openStream()
                let uri = "test://watched-resource"
                let subscribed = try await client.post(
                    #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"\#(uri)"}}"#)
                #expect(subscribed.text == #"{"jsonrpc":"2.0","id":1,"result":{}}"#)
                let updated =
                    #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"\#(uri)"}}"#
                let changed = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
                let first = try await client.call("notify_resource_updated", #"{"uri":"\#(uri)"}"#)
                #expect(text(first.answer) == "notified")
                let second = try await client.call("test_trigger_tool_change")
                // A client's own server may tell it beside the answer of the call.
                let beside = first.messages.dropLast() + second.messages.dropLast()
                for notice in [updated, changed] where !beside.contains(notice) {
                    #expect(try await stream.connection.message()?.data == notice)
                }
                _ = try await client.post(
                    #"{"jsonrpc":"2.0","id":2,"method":"resources/unsubscribe","params":{"uri":"\#(uri)"}}"#)
                let last = try await client.call("notify_resource_updated", #"{"uri":"\#(uri)"}"#)
                #expect(text(last.answer) == "not subscribed")
            }
        }

        @Test("after a restart sessions go on, and what they had subscribed to is listened to again")
        func restart() async throws {
            try await serve("shared", ["--restart-delays", "0.05"]) { lodge in
                let client = try await lodge.client()
                let uri = "test://watched-resource"
                _ = try await client.post(
                    #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"\#(uri)"}}"#)
                let crashed = try await client.call("exit", #"{"status":3}"#)
                #expect(crashed.json?["error"]?["data"]?["reason"] == "exited")
                #expect(text(try await client.post(MCPClient.echo("again")).answer) == "again")
                let told = try await client.call("notify_resource_updated", #"{"uri":"\#(uri)"}"#)
                #expect(text(told.answer) == "notified")
                #expect(try await lodge.status()["restarts"] == 1)
            }
        }
    }
}
