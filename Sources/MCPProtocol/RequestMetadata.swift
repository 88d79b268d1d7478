// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// What a modern request says of its client, in `params._meta` (2026-07-28, base protocol, `_meta`).
///
/// It is not the headers, which are checked against it elsewhere. `clientInfo` is not looked at: a server must not
/// require it.
package struct RequestMetadata: Sendable {
    /// Why a request cannot be taken.
    package enum Problem: Error, Hashable, Sendable {
        /// There is no `_meta`, or it has no `protocolVersion`.
        case noVersion
        case unsupportedVersion(String)
        case noCapabilities
        case unknownLogLevel

        /// The code of the JSON-RPC error.
        package var code: Int {
            if case .unsupportedVersion = self { ErrorCode.unsupportedVersion } else { ErrorCode.invalidParams }
        }

        /// The text of the JSON-RPC error.
        package var message: String {
            switch self {
            case .noVersion:
                "params._meta has no string '\(MetaKey.protocolVersion)'; every request of this revision needs one"
            case .unsupportedVersion(let version):
                "protocol version '\(version)' is not supported; use \(ModernRevision.newest)"
            case .noCapabilities:
                "params._meta has no object '\(MetaKey.clientCapabilities)'; every request of this revision needs one"
            case .unknownLogLevel:
                "'\(MetaKey.logLevel)' must be one of \(LogLevel.allCases.map(\.rawValue).joined(separator: ", "))"
            }
        }

        /// The data of the JSON-RPC error.
        package var data: JSONValue? {
            guard case .unsupportedVersion(let version) = self else { return nil }
            return [
                "supported": .array(ModernRevision.supported.map { .string($0) }), "requested": .string(version),
            ]
        }
    }

    package let version: String
    package let capabilities: ClientCapabilities
    /// The least severe level of log messages that the client wants with this request; nil for none at all.
    package let logLevel: LogLevel?

    /// Reads the metadata of a scanned request.
    package init(_ envelope: Envelope, in bytes: Span<UInt8>) throws(Problem) {
        guard let raw = envelope.metaProtocolVersion,
            let version = JSONString.decode(bytes, raw)
        else { throw .noVersion }
        guard ModernRevision.isSupported(version) else { throw .unsupportedVersion(version) }
        self.version = version
        guard let range = envelope.metaCapabilities, bytes[range.lowerBound] == UInt8(ascii: "{")
        else { throw .noCapabilities }
        if range.count == 2 {
            capabilities = []
        } else {
            guard let object = try? JSONValue.parse(bytes.extracting(range)) else { throw .noCapabilities }
            capabilities = ClientCapabilities(object)
        }
        guard let raw = envelope.metaLogLevel else {
            logLevel = nil
            return
        }
        guard let level = JSONString.decode(bytes, raw).flatMap(LogLevel.init(rawValue:)) else {
            throw .unknownLogLevel
        }
        logLevel = level
    }
}
