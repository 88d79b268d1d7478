// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOHTTP1

/// What is refused of the modern era before the core sees it (2026-07-28, Streamable HTTP, server validation).
extension GatewayRefusal {
    // MARK: Headers that repeat the body

    static func missingCopy(_ header: HeaderCopies.Header, of source: String) -> Self {
        Self(
            .badRequest, code: ErrorCode.headerMismatch,
            "the request has no \(header.rawValue) header; send its \(source) in one")
    }

    static func differentCopy(_ header: HeaderCopies.Header, of source: String) -> Self {
        Self(
            .badRequest, code: ErrorCode.headerMismatch,
            "the \(header.rawValue) header is not the request's \(source); send the same in both")
    }

    static func repeatedCopy(_ header: HeaderCopies.Header) -> Self {
        Self(
            .badRequest, code: ErrorCode.headerMismatch,
            "the request has the header \(header.rawValue) more than once; send it once")
    }

    static let malformedName = Self(
        .badRequest, code: ErrorCode.headerMismatch,
        "the \(HeaderCopies.Header.name.rawValue) header is neither printable ASCII nor '=?base64?', base64 of UTF-8 "
            + "and '?='; encode it as the specification says")

    // MARK: Metadata and form

    static func metadata(_ problem: RequestMetadata.Problem) -> Self {
        Self(.badRequest, code: problem.code, problem.message).with(data: problem.data)
    }

    static let modernResponse = Self(
        .badRequest, "this revision has no responses of a client; send what was asked for with the request again")
    static let modernBatch = Self(
        .badRequest, "the modern era has no batches; send the messages one by one")

    /// Told on the stream of the 2024-11-05 transport, which sessions alone can use.
    static func modernOnTransport(version: String) -> Self {
        Self(
            .badRequest, code: ErrorCode.unsupportedVersion,
            "this transport has no revision after \(ProtocolVersion.newest.rawValue); send initialize, or use the "
                + "path that ends in /mcp"
        ).with(data: [
            "supported": .array(ProtocolVersion.allCases.reversed().map { .string($0.rawValue) }),
            "requested": .string(version),
        ])
    }
}
