// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Testing

struct LegacyInputTests {
    private static let prefix = "test_input_required_result_"

    private func call(_ id: JSONValue, _ tool: String) -> JSONValue {
        Message.request(id, "tools/call", ["name": .string(tool), "arguments": [:]])
    }

    private func server(_ capabilities: JSONValue = Modern.everything) throws -> ServerProcess {
        let server = try ServerProcess()
        try server.initialize(capabilities)
        return server
    }

    @Test("questions that are asked together are sent together, with their keys as ids")
    func together() throws {
        let server = try server()
        try server.send(call(1, "\(Self.prefix)multiple_inputs"))
        let asked = try [server.next(), server.next(), server.next()]
        #expect(asked.map { $0["id"] } == ["user_name", "greeting", "client_roots"])
        #expect(asked.map { $0["method"] } == ["elicitation/create", "sampling/createMessage", "roots/list"])
        // Answered in another order.
        try server.send(Message.answer(to: "client_roots", .success(["roots": [["uri": "file:///r"]]])))
        try server.send(Message.answer(to: "user_name", .success(Modern.accepted(["name": "Ada"]))))
        let answer = try server.ask(Message.answer(to: "greeting", .success(["content": .text("Good day")])))
        #expect(answer.firstText == "Ada; Good day; Roots: file:///r")
    }

    @Test("rounds follow each other under the keys of the modern era")
    func rounds() throws {
        let server = try server()
        #expect(try server.ask(call(1, "\(Self.prefix)multi_round"))["id"] == "step1")
        let second = try server.ask(Message.answer(to: "step1", .success(Modern.accepted(["name": "Ada"]))))
        #expect(second["id"] == "step2")
        let answer = try server.ask(Message.answer(to: "step2", .success(Modern.accepted(["color": "blue"]))))
        #expect(answer.firstText == "Ada likes blue")
    }

    @Test("an id is used twice only once the first is answered")
    func suffix() throws {
        let server = try server()
        let tool = "\(Self.prefix)elicitation"
        #expect(try server.ask(call(1, tool))["id"] == "user_name")
        #expect(try server.ask(call(2, tool))["id"] == "user_name-2")
        let second = try server.ask(Message.answer(to: "user_name-2", .success(Modern.accepted(["name": "Bo"]))))
        #expect(second.firstText == "Hello, Bo!")
        let first = try server.ask(Message.answer(to: "user_name", .success(Modern.accepted(["name": "Al"]))))
        #expect(first.firstText == "Hello, Al!")
        #expect(try server.ask(call(3, tool))["id"] == "user_name")
    }

    @Test("the tools of before number their requests")
    func numbers() throws {
        let server = try server()
        #expect(try server.ask(call(1, "list_roots"))["id"] == 1)
        let answer = try server.ask(Message.answer(to: 1, .success(["roots": []])))
        #expect(answer["result"]?["structuredContent"] == ["roots": []])
        #expect(try server.ask(call(2, "ping_client"))["id"] == 2)
    }

    @Test("an error to one question is passed over where another will do")
    func capabilities() throws {
        let server = try server()
        #expect(try server.ask(call(1, "\(Self.prefix)capabilities"))["id"] == "ask")
        let next = try server.ask(Message.answer(to: "ask", .failure(.unknownMethod("elicitation/create"))))
        #expect(next["id"] == "sample")
        let answer = try server.ask(Message.answer(to: "sample", .success(["content": .text("hello")])))
        #expect(answer.firstText == "Answered: sample")
    }

    @Test("what was not declared is not asked, but by the one tool that asks all the same")
    func undeclared() throws {
        let server = try server([:])
        let refusal = try server.ask(call(1, "\(Self.prefix)sampling"))
        #expect(refusal["result"]?["isError"] == true)
        #expect(refusal.firstText == "the client does not support sampling")
        let neither = try server.ask(call(2, "\(Self.prefix)capabilities"))
        #expect(neither.firstText == "the client does not support elicitation or sampling")
        #expect(try server.ask(call(3, "test_missing_capability"))["method"] == "sampling/createMessage")
        let failed = try server.ask(Message.answer(to: 1, .failure(RPCError(-32_601, "no such method"))))
        #expect(failed["result"]?["isError"] == true)
        #expect(failed.firstText == "the client refused sampling/createMessage: no such method (-32601)")
    }

    @Test("a call that is cancelled withdraws what it has asked")
    func withdrawn() throws {
        let server = try server()
        try server.send(call(1, "\(Self.prefix)multiple_inputs"))
        for _ in 1...3 { #expect(try server.next()["method"] != "notifications/cancelled") }
        try server.send(Message.answer(to: "greeting", .success(["content": .text("Good day")])))
        try server.send(Modern.cancel(1))
        let withdrawn = try [server.next(), server.next()]
        #expect(withdrawn.allSatisfy { $0["method"] == "notifications/cancelled" })
        #expect(Set(withdrawn.map { $0["params"]?["requestId"] }) == ["user_name", "client_roots"])
        #expect(try server.finish().isEmpty)
    }

    @Test("a prompt asks, and a client that cannot be asked is refused")
    func prompt() throws {
        let get = Message.request(1, "prompts/get", ["name": "test_input_required_result_prompt"])
        let server = try server()
        #expect(try server.ask(get)["id"] == "user_context")
        let answer = try server.ask(Message.answer(to: "user_context", .success(Modern.accepted(["context": "sea"]))))
        let message = answer["result"]?["messages"]?.elements?.first
        #expect(message?["content"]?["text"] == "Use this context: sea")
        let refusal = try self.server([:]).ask(get)
        #expect(refusal.code == -32_603)
        #expect(refusal.errorMessage == "the client does not support elicitation")
    }
}
