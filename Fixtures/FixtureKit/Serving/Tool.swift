// SPDX-License-Identifier: Apache-2.0

/// A tool: what `tools/list` says of it, and what a call does.
package struct Tool: Sendable {
    package typealias Call = @Sendable (JSONValue, RequestContext) async throws -> JSONValue

    /// The tool object of `tools/list`.
    package var definition: JSONValue
    package var call: Call

    package var name: String { definition["name"]?.text ?? "" }

    /// - Parameters:
    ///   - properties: JSON Schemas of the arguments; those not named in `optional` are required.
    ///   - extra: members that are added to the definition, such as `title` or `outputSchema`.
    package init(
        _ name: String, _ description: String, properties: JSONValue = [:], optional: Set<String> = [],
        extra: JSONValue = [:], call: @escaping Call
    ) {
        let required = (properties.members ?? []).map(\.name).filter { !optional.contains($0) }
        var schema: JSONValue = ["type": "object", "properties": properties]
        if !required.isEmpty { schema["required"] = .strings(required) }
        definition = ["name": .string(name), "description": .string(description), "inputSchema": schema]
        for member in extra.members ?? [] { definition[member.name] = member.value }
        self.call = call
    }

    /// Runs a call; a tool's own failure is a result with `isError`, so that a model can read it (MCP, tools).
    package func result(_ params: JSONValue, _ context: RequestContext) async throws -> JSONValue {
        do {
            return try await call(params["arguments"] ?? [:], context)
        } catch let failure as ToolFailure {
            var result = JSONValue.content(.text(failure.message))
            result["isError"] = true
            return result
        }
    }
}

/// The failure of a tool that the model is told about.
package struct ToolFailure: Error, Hashable {
    package var message: String

    package init(_ message: String) { self.message = message }
}

extension JSONValue {
    /// A text content block.
    package static func text(_ text: String) -> JSONValue { ["type": "text", "text": .string(text)] }

    /// A tool result of content blocks.
    package static func content(_ blocks: JSONValue...) -> JSONValue { ["content": .array(blocks)] }

    /// A tool result with a structured value, and the same as text for clients that do not read it.
    package static func structured(_ value: JSONValue) -> JSONValue {
        ["content": [.text(value.json)], "structuredContent": value]
    }

    /// An argument that must be a string.
    package func string(_ name: String) throws(ToolFailure) -> String {
        guard let text = self[name]?.text else { throw ToolFailure("argument '\(name)' must be a string") }
        return text
    }

    /// An argument that must be an integer from zero on.
    package func count(_ name: String) throws(ToolFailure) -> Int {
        guard let number = self[name]?.integer, number >= 0 else {
            throw ToolFailure("argument '\(name)' must be an integer from 0 on")
        }
        return number
    }

    /// An argument that must be a number.
    package func double(_ name: String) throws(ToolFailure) -> Double {
        guard let number = self[name]?.double else { throw ToolFailure("argument '\(name)' must be a number") }
        return number
    }

    /// An argument that must be a span of time in seconds, from 0 to a day.
    package func duration(_ name: String) throws(ToolFailure) -> Duration {
        let seconds = try double(name)
        guard (0...86_400).contains(seconds) else { throw ToolFailure("argument '\(name)' must be 0 to 86400 seconds") }
        return .milliseconds(Int(seconds * 1_000))
    }
}
