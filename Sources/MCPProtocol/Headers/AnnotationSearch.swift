// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// Looks for `x-mcp-header` at every place of a schema where a schema can stand (JSON Schema 2020-12).
///
/// What is data there (`default`, `enum`, `const`, `examples`) holds no annotations. Only a chain of `properties` leads
/// to places that may be annotated.
struct AnnotationSearch {
    private(set) var parameters: [ParameterHeaders.Parameter] = []
    private var seen: Set<String> = []

    private static let annotation = "x-mcp-header"
    /// Keywords whose value is a schema, or an array of schemas.
    private static let schemas: Set<String> = [
        "items", "contains", "unevaluatedItems", "additionalItems", "additionalProperties", "propertyNames",
        "unevaluatedProperties", "not", "if", "then", "else", "contentSchema", "allOf", "anyOf", "oneOf", "prefixItems",
    ]
    /// Keywords whose value is an object of schemas.
    private static let namedSchemas: Set<String> = ["patternProperties", "dependentSchemas", "$defs", "definitions"]

    /// Collects the annotations of a schema; answers what is wrong with the first one that is invalid.
    mutating func problem(in schema: JSONValue) -> String? { problem(in: schema, at: []) }

    /// - Parameter path: the properties that lead here; nil where something else did.
    private mutating func problem(in schema: JSONValue, at path: [String]?) -> String? {
        guard case .object(let members) = schema else { return nil }
        if let header = schema[Self.annotation], let problem = note(header, schema["type"], at: path) { return problem }
        // Of members with one name the last one counts, as for `JSONValue`.
        for (name, value) in Self.effective(members) {
            if name == "properties", case .object(let properties) = value {
                for (property, inner) in Self.effective(properties) {
                    if let problem = problem(in: inner, at: path.map { $0 + [property] }) { return problem }
                }
            } else if Self.schemas.contains(name) {
                for inner in value.elements ?? [value] {
                    if let problem = problem(in: inner, at: nil) { return problem }
                }
            } else if Self.namedSchemas.contains(name) {
                for (_, inner) in Self.effective(value.members ?? []) {
                    if let problem = problem(in: inner, at: nil) { return problem }
                }
            }
        }
        return nil
    }

    private mutating func note(_ header: JSONValue, _ type: JSONValue?, at path: [String]?) -> String? {
        guard let path, !path.isEmpty else {
            return "has x-mcp-header at a place that no chain of properties leads to"
        }
        let place = "'\(path.joined(separator: "."))'"
        guard let name = header.string, !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
            return "has an x-mcp-header at \(place) that is no name of a header"
        }
        guard let type = type?.string, ["string", "integer", "boolean"].contains(type) else {
            return "has x-mcp-header at \(place), which is neither a string nor an integer nor a boolean"
        }
        guard seen.insert(name.lowercased()).inserted else {
            return "has the x-mcp-header '\(name)' twice"
        }
        parameters.append(.init(path: path, header: "Mcp-Param-\(name)"))
        return nil
    }

    private static func effective(_ members: [JSONValue.Member]) -> [(name: String, value: JSONValue)] {
        var last: [String: Int] = [:]
        for (index, member) in members.enumerated() { last[member.name] = index }
        return members.enumerated().compactMap { index, member in
            last[member.name] == index ? (member.name, member.value) : nil
        }
    }

    /// Whether a header's name may hold it (RFC 9110 section 5.6.2, `tchar`).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
