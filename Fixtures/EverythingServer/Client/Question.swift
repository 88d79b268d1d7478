// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// One thing that a server asks of its client.
struct Question: Sendable {
    /// Unique among the questions of one request; the modern era's name for it.
    let key: String
    let method: String
    let params: JSONValue?
    /// The capability that a client must have declared.
    let capability: String
    /// What of that capability is needed, where it has parts.
    let part: String?

    static func form(_ key: String, _ message: String, _ schema: JSONValue) -> Question {
        Question(
            key: key, method: "elicitation/create",
            params: ["message": .string(message), "requestedSchema": schema], capability: "elicitation", part: "form")
    }

    /// A form of one required field.
    static func form(_ key: String, _ message: String, field: String, type: String = "string") -> Question {
        let properties = JSONValue.object([.init(field, ["type": .string(type)])])
        return form(key, message, ["type": "object", "properties": properties, "required": [.string(field)]])
    }

    /// A page to visit; the id is of 2025-11-25 only.
    static func page(_ key: String, _ message: String, url: String, id: JSONValue? = nil) -> Question {
        var params: JSONValue = ["mode": "url", "url": .string(url), "message": .string(message)]
        params["elicitationId"] = id
        return Question(
            key: key, method: "elicitation/create", params: params, capability: "elicitation", part: "url")
    }

    static func sample(_ key: String, _ prompt: String, maximum tokens: Int = 100) -> Question {
        let message: JSONValue = ["role": "user", "content": .text(prompt)]
        return Question(
            key: key, method: "sampling/createMessage",
            params: ["messages": [message], "maxTokens": .integer(tokens)], capability: "sampling", part: nil)
    }

    static func roots(_ key: String) -> Question {
        Question(key: key, method: "roots/list", params: nil, capability: "roots", part: nil)
    }

    /// The text of an answer to a sampling question; since 2025-11-25 the content may be a list.
    static func text(of answer: JSONValue) -> String {
        let content = answer["content"]
        return content?["text"]?.text ?? content?.elements?.first?["text"]?.text ?? "no text"
    }
}
