// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Tools that ask something of the client while they run.
struct ClientTools {
    let link: any ClientLink

    var all: [Tool] { [sampling, elicitation, defaults, enums, url, urlRequired, roots] }

    /// Of the legacy era only: no other server pings its client.
    static let ping = Tool("ping_client", "Pings the client") { _, context in
        _ = try await context.connection.ask("ping")
        return .content(.text("pong"))
    }

    private var sampling: Tool {
        Tool(
            "test_sampling", "Asks the client's model", properties: ["prompt": ["type": "string"]]
        ) { arguments, context in
            let question = Question.sample("sampling", try arguments.string("prompt"))
            let answer = try await link.ask(question, context)
            return .content(.text("LLM response: \(Question.text(of: answer))"))
        }
    }

    private func elicit(_ message: String, _ schema: JSONValue, _ context: RequestContext) async throws -> String {
        let answer = try await link.ask(.form("elicitation", message, schema), context)
        return "action=\(answer["action"]?.text ?? "none"), content=\((answer["content"] ?? [:]).json)"
    }

    private var elicitation: Tool {
        Tool(
            "test_elicitation", "Asks the user", properties: ["message": ["type": "string"]]
        ) { arguments, context in
            let schema: JSONValue = [
                "type": "object",
                "properties": [
                    "username": ["type": "string", "description": "User's response"],
                    "email": ["type": "string", "description": "User's email address"],
                ],
                "required": ["username", "email"],
            ]
            return .content(
                .text("User response: \(try await elicit(try arguments.string("message"), schema, context))"))
        }
    }

    private var defaults: Tool {
        Tool("test_elicitation_sep1034_defaults", "Asks the user, with defaults for all fields") { _, context in
            let schema: JSONValue = [
                "type": "object",
                "properties": [
                    "name": ["type": "string", "default": "John Doe"],
                    "age": ["type": "integer", "default": 30],
                    "score": ["type": "number", "default": 95.5],
                    "status": ["type": "string", "enum": ["active", "inactive", "pending"], "default": "active"],
                    "verified": ["type": "boolean", "default": true],
                ],
                "required": [],
            ]
            return .content(
                .text("Elicitation completed: \(try await elicit("Please check these values", schema, context))"))
        }
    }

    private var enums: Tool {
        Tool("test_elicitation_sep1330_enums", "Asks the user, with each kind of choice") { _, context in
            func titled(_ word: String) -> JSONValue {
                .array(
                    zip(1..., ["First", "Second", "Third"]).map {
                        ["const": .string("value\($0)"), "title": .string("\($1) \(word)")]
                    })
            }
            let options: JSONValue = ["option1", "option2", "option3"]
            let schema: JSONValue = [
                "type": "object",
                "properties": [
                    "untitledSingle": ["type": "string", "enum": options],
                    "titledSingle": ["type": "string", "oneOf": titled("Option")],
                    "legacyEnum": [
                        "type": "string", "enum": ["opt1", "opt2", "opt3"],
                        "enumNames": ["Option One", "Option Two", "Option Three"],
                    ],
                    "untitledMulti": ["type": "array", "items": ["type": "string", "enum": options]],
                    "titledMulti": ["type": "array", "items": ["anyOf": titled("Choice")]],
                ],
                "required": [],
            ]
            return .content(.text("Elicitation completed: \(try await elicit("Please choose", schema, context))"))
        }
    }

    private var url: Tool {
        Tool("test_elicitation_url", "Sends the user to a page, and says when that is done") { _, context in
            let action = try await link.visit(
                "https://example.com/authorize", message: "Please visit this page", isRequired: false, context)
            return .content(.text("Elicitation by url: action=\(action)"))
        }
    }

    private var urlRequired: Tool {
        Tool("test_elicitation_url_required", "Answers that a page must be visited first") { _, context in
            let action = try await link.visit(
                "https://example.com/connect", message: "Please connect your account", isRequired: true, context)
            return .content(.text("Required elicitation by url: action=\(action)"))
        }
    }

    private var roots: Tool {
        Tool("list_roots", "Asks for the client's roots") { _, context in
            let answer = try await link.ask(.roots("roots"), context)
            return .structured(["roots": answer["roots"] ?? []])
        }
    }
}
