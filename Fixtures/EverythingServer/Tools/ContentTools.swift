// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Tools of the conformance suite that answer with one kind of content each.
enum ContentTools {
    static let all: [Tool] = [
        Tool("test_simple_text", "Answers with a text") { _, _ in
            .content(.text("This is a simple text response for testing."))
        },
        Tool("test_image_content", "Answers with a picture") { _, _ in .content(Media.image) },
        Tool("test_audio_content", "Answers with a sound") { _, _ in .content(Media.audio) },
        Tool("test_embedded_resource", "Answers with a resource") { _, _ in
            .content(resource("test://embedded-resource", "text/plain", "This is an embedded resource content."))
        },
        Tool("test_multiple_content_types", "Answers with a text, a picture and a resource") { _, _ in
            .content(
                .text("Multiple content types test:"), Media.image,
                resource("test://mixed-content-resource", "application/json", #"{"test":"data","value":123}"#))
        },
        Tool("resource_link", "Answers with a link to a resource (since 2025-06-18)") { _, _ in
            .content([
                "type": "resource_link", "uri": "test://static-text", "name": "static-text", "mimeType": "text/plain",
                "annotations": ["priority": 1, "lastModified": "2025-11-25T00:00:00Z"],
            ])
        },
        Tool("test_error_handling", "Always fails") { _, _ in
            throw ToolFailure("This tool intentionally returns an error for testing")
        },
        schemaTool,
    ]

    private static func resource(_ uri: String, _ mimeType: String, _ text: String) -> JSONValue {
        [
            "type": "resource",
            "resource": ["uri": .string(uri), "mimeType": .string(mimeType), "text": .string(text)],
        ]
    }

    /// A tool whose schema uses what a relay that rewrites schemas would lose (SEP-1613, SEP-2106).
    private static var schemaTool: Tool {
        let schema: JSONValue = [
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": [
                "address": [
                    "$anchor": "addressDef", "type": "object",
                    "properties": ["street": ["type": "string"], "city": ["type": "string"]],
                ]
            ],
            "properties": [
                "name": ["type": "string"],
                "address": ["$ref": "#/$defs/address"],
                "contactMethod": ["type": "string", "enum": ["phone", "email"]],
                "phone": ["type": "string"],
                "email": ["type": "string"],
            ],
            "allOf": [["anyOf": [["required": ["phone"]], ["required": ["email"]]]]],
            "if": ["properties": ["contactMethod": ["const": "phone"]], "required": ["contactMethod"]],
            "then": ["required": ["phone"]],
            "else": ["required": ["email"]],
            "additionalProperties": false,
        ]
        return Tool(
            "json_schema_2020_12_tool", "Tool with JSON Schema 2020-12 features", extra: ["inputSchema": schema]
        ) { arguments, _ in .content(.text(arguments.json)) }
    }
}
