// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The prompts that are answered from their arguments alone, and the list of all.
enum Prompts {
    static func list(_ session: Session) -> [JSONValue] {
        var all: [JSONValue] = [
            [
                "name": "test_simple_prompt", "title": "Simple prompt", "description": "A prompt without arguments",
                "icons": [Media.icon], "_meta": ["everything/fixture": "simple"],
            ],
            [
                "name": "test_prompt_with_arguments", "description": "A prompt with two arguments",
                "arguments": [
                    ["name": "arg1", "title": "First", "description": "First test argument", "required": true],
                    ["name": "arg2", "description": "Second test argument", "required": true],
                ],
            ],
            [
                "name": "test_prompt_with_embedded_resource", "description": "A prompt that embeds a resource",
                "arguments": [
                    ["name": "resourceUri", "description": "URI of the resource to embed", "required": true]
                ],
            ],
            ["name": "test_prompt_with_image", "description": "A prompt with a picture"],
            ["name": .string(AskingPrompt.name), "description": "A prompt that asks the user for a context first"],
        ]
        if session.read(\.hasDynamicPrompt) {
            all.append(["name": "test_dynamic_prompt", "description": "A prompt that comes and goes"])
        }
        return all
    }

    static func get(_ params: JSONValue, _ session: Session) -> Result<JSONValue, RPCError> {
        let name = params["name"]?.text ?? ""
        guard let prompt = list(session).first(where: { $0["name"]?.text == name }) else {
            return .failure(.invalidParams("unknown prompt '\(name)'"))
        }
        let arguments = params["arguments"] ?? [:]
        for argument in prompt["arguments"]?.elements ?? [] {
            let needed = argument["name"]?.text ?? ""
            guard arguments[needed]?.text != nil else {
                return .failure(.invalidParams("prompt '\(name)' needs the argument '\(needed)'"))
            }
        }
        let messages = contents(of: name, arguments).map { ["role": "user", "content": $0] as JSONValue }
        var result: JSONValue = ["messages": .array(messages)]
        result["description"] = prompt["description"]
        return .success(result)
    }

    private static func contents(of name: String, _ arguments: JSONValue) -> [JSONValue] {
        func argument(_ name: String) -> String { arguments[name]?.text ?? "" }
        return switch name {
        case "test_simple_prompt": [.text("This is a simple prompt for testing.")]
        case "test_prompt_with_arguments":
            [.text("Prompt with arguments: arg1='\(argument("arg1"))', arg2='\(argument("arg2"))'")]
        case "test_prompt_with_embedded_resource":
            [
                [
                    "type": "resource",
                    "resource": [
                        "uri": .string(argument("resourceUri")), "mimeType": "text/plain",
                        "text": "Embedded resource content for testing.",
                    ],
                ],
                .text("Please process the embedded resource above."),
            ]
        case "test_prompt_with_image": [Media.image, .text("Please analyze the image above.")]
        default: [.text("This prompt comes and goes.")]
        }
    }
}
