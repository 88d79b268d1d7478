// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The tools of the conformance suite for multi round-trip requests, with the keys that it looks for.
///
/// In the modern era a call runs from its start in every round, with all answers so far at hand.
struct InputTools {
    let link: any ClientLink

    var all: [Tool] {
        [elicitation, sampling, listRoots, requestState, multipleInputs, multiRound, tamperedState, capabilities]
    }

    private func tool(
        _ name: String, _ description: String, _ text: @escaping @Sendable (RequestContext) async throws -> String
    ) -> Tool {
        Tool("test_input_required_result_\(name)", description) { _, context in
            .content(.text(try await text(context)))
        }
    }

    /// What a form was filled with, or what the user did instead.
    private static func value(_ field: String, of answer: JSONValue) -> String {
        guard answer["action"]?.text == "accept" else { return "(\(answer["action"]?.text ?? "none"))" }
        let value = answer["content"]?[field]
        return value?.text ?? value?.json ?? "(nothing)"
    }

    private var elicitation: Tool {
        tool("elicitation", "Greets the user by the name that it asks for") { context in
            let answer = try await link.ask(.form("user_name", "What is your name?", field: "name"), .named, context)
            return "Hello, \(Self.value("name", of: answer))!"
        }
    }

    private var sampling: Tool {
        tool("sampling", "Answers with what the client's model says") { context in
            let question = Question.sample("capital_question", "What is the capital of France?")
            return Question.text(of: try await link.ask(question, .named, context))
        }
    }

    private var listRoots: Tool {
        tool("list_roots", "Answers with the client's roots") { context in
            Self.uris(of: try await link.ask(.roots("client_roots"), .named, context))
        }
    }

    private static func uris(of answer: JSONValue) -> String {
        let uris = (answer["roots"]?.elements ?? []).compactMap { $0["uri"]?.text }
        return "Roots: \(uris.joined(separator: ", "))"
    }

    private func confirm(_ context: RequestContext) async throws -> String {
        let question = Question.form("confirm", "Please confirm", field: "ok", type: "boolean")
        let answer = try await link.ask(question, [.named, .sealed], context)
        return "state-ok: \(Self.value("ok", of: answer))"
    }

    private var requestState: Tool {
        tool("request_state", "Asks to confirm, with a state that must come back") { try await confirm($0) }
    }

    private var tamperedState: Tool {
        tool("tampered_state", "Asks to confirm, with a state that must not be changed") { try await confirm($0) }
    }

    private var multipleInputs: Tool {
        tool("multiple_inputs", "Asks three things at once") { context in
            let questions: [Question] = [
                .form("user_name", "What is your name?", field: "name"),
                .sample("greeting", "Generate a greeting", maximum: 50), .roots("client_roots"),
            ]
            let answers = try await link.ask(questions, [.named, .sealed], context)
            return [Self.value("name", of: answers[0]), Question.text(of: answers[1]), Self.uris(of: answers[2])]
                .joined(separator: "; ")
        }
    }

    private var multiRound: Tool {
        tool("multi_round", "Asks one thing after the other") { context in
            let manner: AskingManner = [.named, .sealed]
            let first = Question.form("step1", "Step 1: What is your name?", field: "name")
            let name = Self.value("name", of: try await link.ask(first, manner, context))
            let second = Question.form("step2", "Step 2: What is your favorite color?", field: "color")
            let color = Self.value("color", of: try await link.ask(second, manner, context))
            return "\(name) likes \(color)"
        }
    }

    private var capabilities: Tool {
        tool("capabilities", "Asks what the client can answer") { context in
            let questions: [Question] = [
                .form("ask", "What is your name?", field: "name"), .sample("sample", "Say hello", maximum: 50),
            ]
            let answers = try await link.askSupported(questions, context)
            return "Answered: \(answers.map(\.0).joined(separator: ", "))"
        }
    }
}
