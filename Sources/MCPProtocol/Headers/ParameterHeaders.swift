// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// The `Mcp-Param-*` headers that one tool's calls carry, as the annotations `x-mcp-header` in its `inputSchema` want it
/// (2026-07-28, basic/transports/streamable-http, Custom Headers from Tool Parameters).
///
/// It does not check arguments against the schema, and follows no `$ref`.
package struct ParameterHeaders: Sendable, Equatable {
    struct Parameter: Sendable, Equatable {
        /// The names of the properties that lead to the value in the arguments.
        let path: [String]
        /// The whole name, `Mcp-Param-` included.
        let header: String
    }

    private let parameters: [Parameter]

    /// Whether the tool annotates nothing.
    package var isEmpty: Bool { parameters.isEmpty }

    /// Reads the annotations of a tool as `tools/list` describes it; nil where one is invalid, and the tool with it.
    package init?(tool: JSONValue) {
        var search = AnnotationSearch()
        guard search.problem(in: tool["inputSchema"] ?? .null) == nil else { return nil }
        parameters = search.parameters
    }

    /// What is wrong with the annotations of a tool, as a clause without a subject; nil where nothing is.
    package static func problem(in tool: JSONValue) -> String? {
        var search = AnnotationSearch()
        return search.problem(in: tool["inputSchema"] ?? .null)
    }

    /// The headers of a call with these arguments, in the order of the schema; a value that is absent, null, an array or
    /// an object has none.
    package func fields(for arguments: JSONValue?) -> [(name: String, value: String)] {
        parameters.compactMap { parameter in
            Self.text(of: Self.value(at: parameter.path, in: arguments)).map {
                (parameter.header, HeaderValue.encode($0))
            }
        }
    }

    /// The name of the first header that does not hold with these arguments: missing, there without a value in the
    /// arguments, different, malformed or repeated. Numbers are compared by value, not by spelling.
    ///
    /// - Parameter headers: all values of the request's header of this name, which is given in lower case.
    package func mismatch(arguments: JSONValue?, headers: (String) -> [String]) -> String? {
        parameters.first { parameter in
            let values = headers(parameter.header.lowercased())
            let argument = Self.value(at: parameter.path, in: arguments)
            guard let expected = Self.text(of: argument) else { return !values.isEmpty }
            guard values.count == 1, let text = HeaderValue.decode(values[0]) else { return true }
            guard case .number(let number)? = argument else { return text != expected }
            guard let written = JSONValue.Number(text), !text.contains(where: { $0 == "e" || $0 == "E" }),
                let (one, other) = Self.both(ExactDecimal(written.text), ExactDecimal(number.text))
            else { return text != expected }
            return one != other
        }?.header
    }

    private static func both<Value>(_ one: Value?, _ other: Value?) -> (Value, Value)? {
        guard let one, let other else { return nil }
        return (one, other)
    }

    private static func value(at path: [String], in arguments: JSONValue?) -> JSONValue? {
        path.reduce(arguments) { value, name in value?[name] }
    }

    private static func text(of value: JSONValue?) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "true" : "false"
        case .number(let number): ExactDecimal(number.text)?.integerText ?? number.text
        case .null, .array, .object, nil: nil
        }
    }
}
