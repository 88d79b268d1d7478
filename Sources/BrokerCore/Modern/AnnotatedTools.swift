// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// The tools of a server whose calls carry copies of arguments in header fields, as far as lists have told of them
/// (2026-07-28, Streamable HTTP, custom headers from tool parameters).
///
/// It knows what clients were told: a call of a tool that no list has named yet is not checked. Names are those of
/// clients. Belongs to one generation of the server.
struct AnnotatedTools: Sendable {
    private var headers: [String: ParameterHeaders] = [:]

    /// More annotated tools than this are not kept; calls of the others are not checked.
    private static let capacity = 10_000

    var isEmpty: Bool { headers.isEmpty }

    /// Looks at a list of tools as clients get it; most lists annotate nothing, which costs one search.
    static func told(in answer: MessageBytes) -> [(name: String, headers: ParameterHeaders)]? {
        let buffer = answer.joined()
        guard buffer.readableBytesView.firstRange(of: Array("x-mcp-header".utf8)) != nil,
            let message = try? JSONValue.parse(buffer.readableBytesUInt8Span),
            let tools = message["result"]?["tools"]?.elements
        else { return nil }
        return tools.compactMap { tool in
            guard let name = tool["name"]?.string, let headers = ParameterHeaders(tool: tool), !headers.isEmpty else {
                return nil
            }
            return (name, headers)
        }
    }

    mutating func learn(_ tools: [(name: String, headers: ParameterHeaders)]) {
        for tool in tools where headers.count < Self.capacity || headers[tool.name] != nil {
            headers[tool.name] = tool.headers
        }
    }

    /// What a call has to carry; nil for a tool that annotates nothing.
    func headers(of tool: String) -> ParameterHeaders? { headers[tool] }
}

extension ModernRequest {
    /// The error of a call whose header fields do not hold; nil where they do.
    func headerMismatch(_ headers: ParameterHeaders) -> ModernError? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        var arguments: JSONValue?
        if let params = message.envelope.params,
            case .value(let range) = JSONMembers.find("arguments", in: bytes, object: params)
        {
            arguments = try? JSONValue.parse(bytes.extracting(range))
        }
        let fields = message.parameterFields
        let mismatch = headers.mismatch(arguments: arguments) { name in
            fields.filter { $0.name == name }.map(\.value)
        }
        guard let mismatch else { return nil }
        return ModernError(
            code: ErrorCode.headerMismatch,
            message:
                "the header \(mismatch) is not what the arguments say; list the tools again and send what they want")
    }
}
