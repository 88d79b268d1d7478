// SPDX-License-Identifier: Apache-2.0

/// The error codes of JSON-RPC 2.0 and of both eras of MCP (2026-07-28, base protocol, error codes).
package enum ErrorCode {
    package static let parseError = -32700
    package static let invalidRequest = -32600
    package static let methodNotFound = -32601
    package static let invalidParams = -32602
    package static let internalError = -32603

    // MARK: 2026-07-28

    /// A header contradicts the body, or one that has to be there is not.
    package static let headerMismatch = -32020
    /// The request needs something of the client that it did not declare; `data.requiredCapabilities` says what.
    package static let missingClientCapability = -32021
    /// `data.supported` has the versions to choose from, `data.requested` the one that was asked for.
    package static let unsupportedVersion = -32022

    // MARK: Until 2025-11-25 only

    /// A resource is not known; in the modern era that is ``invalidParams``.
    package static let resourceNotFound = -32002
    /// The user has to visit a URL first (2025-11-25); in the modern era that is a result that asks for input.
    package static let urlElicitationRequired = -32042
    /// Lodge could not reach the server; in the modern era that is ``internalError``.
    package static let upstreamFailure = -32000

    /// The HTTP status of a modern response with this error (2026-07-28, Streamable HTTP).
    package static func status(of code: Int) -> Int {
        switch code {
        case methodNotFound: 404
        case parseError, invalidRequest, invalidParams, headerMismatch, missingClientCapability, unsupportedVersion: 400
        default: 200
        }
    }
}

/// The reserved members of `_meta` in the modern era.
package enum MetaKey {
    package static let prefix = "io.modelcontextprotocol/"
    package static let protocolVersion = prefix + "protocolVersion"
    package static let clientInfo = prefix + "clientInfo"
    package static let clientCapabilities = prefix + "clientCapabilities"
    package static let logLevel = prefix + "logLevel"
    package static let serverInfo = prefix + "serverInfo"
    package static let subscriptionID = prefix + "subscriptionId"
}
