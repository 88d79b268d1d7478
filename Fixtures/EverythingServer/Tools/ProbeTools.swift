// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The tools by which the conformance suite looks at what a server sends beside its answer, and when it refuses.
struct ProbeTools {
    let link: any ClientLink

    var all: [Tool] { [missingCapability, streamingElicitation, logging, Self.header] }

    private var missingCapability: Tool {
        Tool("test_missing_capability", "Needs the client's model, whatever the client has declared") { _, context in
            let answer = try await link.ask(.sample("sampling", "Say hello"), .unchecked, context)
            return .content(.text("LLM response: \(Question.text(of: answer))"))
        }
    }

    private var streamingElicitation: Tool {
        Tool("test_streaming_elicitation", "Reports progress and asks the user") { _, context in
            context.progress(1, of: 2, message: "about to ask")
            let answer = try await link.ask(.form("user_name", "What is your name?", field: "name"), context)
            return .content(.text("User response: action=\(answer["action"]?.text ?? "none")"))
        }
    }

    private var logging: Tool {
        Tool("test_logging_tool", "Sends one log message of each level") { _, context in
            for level in LogLevel.allCases { link.log(level, .string("a message of level \(level.rawValue)"), context) }
            return .content(.text("logged at every level"))
        }
    }

    /// The tool whose argument a client repeats in the header `Mcp-Param-Region` over HTTP (SEP-2243).
    private static let header = Tool(
        "test_x_mcp_header", "Answers with an argument that is a header as well",
        properties: [
            "region": ["type": "string", "description": "The value of Mcp-Param-Region", "x-mcp-header": "Region"]
        ], optional: ["region"]
    ) { arguments, _ in .content(.text("region=\(arguments["region"]?.text ?? "none")")) }
}
