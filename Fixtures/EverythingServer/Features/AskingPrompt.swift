// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The prompt of the conformance suite that needs something of the user before it can be given.
enum AskingPrompt {
    static let name = "test_input_required_result_prompt"

    static func isNamed(in params: JSONValue) -> Bool { params["name"]?.text == name }

    static func get(_ link: any ClientLink, _ context: RequestContext) async throws -> JSONValue {
        let question = Question.form("user_context", "What context should the prompt use?", field: "context")
        let answer: JSONValue
        do {
            answer = try await link.ask(question, .named, context)
        } catch let failure as ToolFailure {
            // A prompt has no results that say that they failed.
            throw RPCError(-32_603, failure.message)
        }
        let text = answer["content"]?["context"]?.text ?? "none"
        return ["messages": [["role": "user", "content": .text("Use this context: \(text)")]]]
    }
}
