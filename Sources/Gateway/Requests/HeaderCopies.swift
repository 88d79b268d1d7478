// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import MCPProtocol

/// What the headers of a request repeat of its body, for those on the way who do not read bodies (2026-07-28, Streamable
/// HTTP, request metadata).
///
/// It decides nothing: the body is what counts, and the headers are compared with it. A legacy request may have them too,
/// where they mean nothing. It is made once for a head and shared by all requests that have the same one.
final class HeaderCopies: Sendable {
    /// The headers that Lodge itself compares; those of arguments need the tool's schema.
    enum Header: String, Sendable, Hashable {
        case version = "MCP-Protocol-Version"
        case method = "Mcp-Method"
        case name = "Mcp-Name"
    }

    let version: String?
    let method: String?
    let name: Name
    /// The `Mcp-Param-*` fields, in the order they came in.
    let parameters: [ParameterField]
    private let repeated: RequestFields.Repeated

    /// The value of `Mcp-Name`.
    enum Name: Sendable, Hashable {
        case absent
        /// It is not printable ASCII, or marked as encoded and not base64 of UTF-8.
        case malformed
        case text(String)
    }

    init(_ fields: RequestFields) {
        version = fields.protocolVersion
        method = fields.method
        name = fields.name.map { HeaderValue.decode($0).map(Name.text) ?? .malformed } ?? .absent
        parameters = fields.parameters
        repeated = fields.repeatedCopies
    }

    /// Whether a header came more than once, so that two readers could choose differently.
    func repeats(_ header: Header) -> Bool { repeated.contains(.init(header)) }
}
