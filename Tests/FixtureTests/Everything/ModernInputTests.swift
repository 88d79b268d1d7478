// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Testing

struct ModernInputTests {
    private static let prefix = "test_input_required_result_"
    private static let sampled: JSONValue = ["role": "assistant", "content": .text("Paris"), "model": "m"]
    private static let roots: JSONValue = ["roots": [["uri": "file:///r"]]]

    @Test("one question is asked and, answered, asked no more")
    func oneQuestion() throws {
        let server = try ServerProcess()
        let tool = "\(Self.prefix)elicitation"
        let first = try server.ask(Modern.call(1, tool))
        #expect(first.inputRequests == ["user_name": "elicitation/create"])
        #expect(first.requestState == nil)
        let responses: JSONValue = ["user_name": Modern.accepted(["name": "Ada"]), "other": ["action": "accept"]]
        #expect(try server.ask(Modern.call(2, tool, responses: responses)).firstText == "Hello, Ada!")
        let declined = try server.ask(Modern.call(3, tool, responses: ["user_name": ["action": "decline"]]))
        #expect(declined.firstText == "Hello, (decline)!")
    }

    @Test(
        "what is no answer to the question is asked for again",
        arguments: [
            ["wrong_key": ["action": "accept", "content": ["name": "Ada"]]], ["user_name": 12_345],
            ["user_name": ["action": "perhaps"]], ["user_name": ["action": "accept", "content": [:]]], [:],
        ] as [JSONValue])
    func askedAgain(responses: JSONValue) throws {
        let server = try ServerProcess()
        let answer = try server.ask(Modern.call(1, "\(Self.prefix)elicitation", responses: responses))
        #expect(answer.inputRequests == ["user_name": "elicitation/create"])
    }

    @Test("responses that are no object are refused", arguments: [JSONValue.null, [], "x"])
    func noObject(responses: JSONValue) throws {
        let server = try ServerProcess()
        let refusal = try server.ask(Modern.call(1, "\(Self.prefix)elicitation", responses: responses))
        #expect(refusal.code == -32_602)
        #expect(refusal.errorMessage == "'inputResponses' must be an object")
    }

    @Test("several questions are asked together, and what is still missing once more")
    func together() throws {
        let server = try ServerProcess()
        let tool = "\(Self.prefix)multiple_inputs"
        let first = try server.ask(Modern.call(1, tool))
        #expect(
            first.inputRequests == [
                "user_name": "elicitation/create", "greeting": "sampling/createMessage", "client_roots": "roots/list",
            ])
        let some: JSONValue = ["user_name": Modern.accepted(["name": "Ada"]), "client_roots": Self.roots]
        let second = try server.ask(Modern.call(2, tool, responses: some, state: first.requestState))
        #expect(second.inputRequests == ["greeting": "sampling/createMessage"])
        let rest: JSONValue = ["greeting": Self.sampled]
        let third = try server.ask(Modern.call(3, tool, responses: rest, state: second.requestState))
        #expect(third.firstText == "Ada; Paris; Roots: file:///r")
    }

    @Test("rounds follow each other, and the state carries the answers of the earlier ones")
    func rounds() throws {
        let server = try ServerProcess()
        let tool = "\(Self.prefix)multi_round"
        let first = try server.ask(Modern.call(1, tool))
        #expect(first.inputRequests == ["step1": "elicitation/create"])
        let name: JSONValue = ["step1": Modern.accepted(["name": "Ada"])]
        let second = try server.ask(Modern.call(2, tool, responses: name, state: first.requestState))
        #expect(second.inputRequests == ["step2": "elicitation/create"])
        #expect(second.requestState != nil && second.requestState != first.requestState)
        // Another process can go on: nothing is kept between the rounds.
        let other = try ServerProcess()
        let color: JSONValue = ["step2": Modern.accepted(["color": "blue"])]
        let third = try other.ask(Modern.call(3, tool, responses: color, state: second.requestState))
        #expect(third.firstText == "Ada likes blue")
    }

    @Test("a state that was changed, or made for something else, is refused")
    func tampered() throws {
        let server = try ServerProcess()
        let tool = "\(Self.prefix)tampered_state"
        let state = try #require(try server.ask(Modern.call(1, tool)).requestState?.text)
        let responses: JSONValue = ["confirm": Modern.accepted(["ok": true])]
        for wrong in [.string("\(state)-TAMPERED"), .string(""), 1] as [JSONValue] {
            let refusal = try server.ask(Modern.call(2, tool, responses: responses, state: wrong))
            #expect(refusal.code == -32_602)
            #expect(refusal.errorMessage == "'requestState' was not made by this server")
        }
        let elsewhere = Modern.call(3, "\(Self.prefix)request_state", responses: responses, state: .string(state))
        #expect(try server.ask(elsewhere).errorMessage == "'requestState' was made for another request")
        let good = try server.ask(Modern.call(4, tool, responses: responses, state: .string(state)))
        #expect(good.firstText == "state-ok: true")
    }

    @Test("a client is asked only what it declared")
    func capabilities() throws {
        let server = try ServerProcess()
        let tool = "\(Self.prefix)capabilities"
        let both = try server.ask(Modern.call(1, tool))
        #expect(both.inputRequests == ["ask": "elicitation/create", "sample": "sampling/createMessage"])
        let one = try server.ask(Modern.call(2, tool, meta: Modern.meta(["sampling": [:]])))
        #expect(one.inputRequests == ["sample": "sampling/createMessage"])
        let none = try server.ask(Modern.call(3, tool, meta: Modern.meta([:])))
        #expect(none["error"]?["data"]?["requiredCapabilities"] == ["elicitation": [:], "sampling": [:]])
    }

    @Test(
        "a request that needs what was not declared is refused",
        arguments: [
            ("test_missing_capability", [:], ["sampling": [:]]), ("list_roots", [:], ["roots": [:]]),
            ("test_elicitation_url", ["elicitation": [:]], ["elicitation": ["url": [:]]]),
            ("test_streaming_elicitation", ["elicitation": ["url": [:]]], ["elicitation": [:]]),
        ] as [(String, JSONValue, JSONValue)])
    func undeclared(tool: String, declared: JSONValue, required: JSONValue) throws {
        let server = try ServerProcess()
        let refusal = try server.ask(Modern.call(1, tool, meta: Modern.meta(declared)))
        #expect(refusal.code == -32_021)
        #expect(refusal["error"]?["data"] == ["requiredCapabilities": required])
    }

    @Test("a prompt asks as a tool does")
    func prompt() throws {
        let server = try ServerProcess()
        var params: JSONValue = ["name": "test_input_required_result_prompt"]
        let first = try server.ask(Modern.request(1, "prompts/get", params))
        #expect(first.inputRequests == ["user_context": "elicitation/create"])
        params["inputResponses"] = ["user_context": Modern.accepted(["context": "the sea"])]
        let second = try server.ask(Modern.request(2, "prompts/get", params))
        let message = second["result"]?["messages"]?.elements?.first
        #expect(message?["content"]?["text"] == "Use this context: the sea")
    }

    @Test(
        "no tool that asks sends a request",
        arguments: [
            "test_elicitation_sep1034_defaults", "test_elicitation_sep1330_enums", "test_elicitation_url",
            "test_elicitation_url_required", "test_missing_capability", "test_streaming_elicitation", "list_roots",
            "\(prefix)sampling", "\(prefix)list_roots",
        ])
    func nothingButAnswers(tool: String) throws {
        let server = try ServerProcess()
        let capabilities: JSONValue = ["sampling": [:], "elicitation": ["form": [:], "url": [:]], "roots": [:]]
        let answer = try server.ask(Modern.call(1, tool, meta: Modern.meta(capabilities)))
        #expect(answer["id"] == 1)
        #expect(answer.inputRequests?.count == 1)
        #expect(try server.finish().isEmpty)
    }
}
