// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a modern request says of its sender in `_meta` (MCP 2026-07-28, per-request protocol fields).
struct Envelope: Sendable {
    let version: String
    let capabilities: JSONValue
    /// Empty when the client does not say who it is.
    let clientInfo: JSONValue
    /// The least severe log message that the request asks for; nil for none at all.
    let logLevel: LogLevel?

    static let supported = ["2026-07-28"]
    static let prefix = "io.modelcontextprotocol/"

    /// Whether the parameters look like those of a modern request, valid or not.
    static func isThere(in params: JSONValue) -> Bool { params["_meta"]?["\(prefix)protocolVersion"] != nil }

    /// Throws -32602 for fields that are missing or of the wrong type, and -32022 for a version that is not supported.
    init(_ params: JSONValue) throws(RPCError) {
        guard let meta = params["_meta"], meta.members != nil else {
            throw .invalidParams("'_meta' is missing; every request must carry it")
        }
        guard let version = meta["\(Self.prefix)protocolVersion"]?.text else {
            throw .invalidParams("'_meta' needs '\(Self.prefix)protocolVersion' as a string")
        }
        guard Self.supported.contains(version) else { throw Self.unsupported(version) }
        guard let capabilities = meta["\(Self.prefix)clientCapabilities"], capabilities.members != nil else {
            throw .invalidParams("'_meta' needs '\(Self.prefix)clientCapabilities' as an object")
        }
        logLevel = try Self.level(meta["\(Self.prefix)logLevel"])
        self.version = version
        self.capabilities = capabilities
        clientInfo = meta["\(Self.prefix)clientInfo"] ?? [:]
    }

    private static func level(_ value: JSONValue?) throws(RPCError) -> LogLevel? {
        guard let value else { return nil }
        guard let level = value.text.flatMap(LogLevel.init(rawValue:)) else {
            throw .invalidParams("'\(prefix)logLevel' must be one of \(LogLevel.names)")
        }
        return level
    }

    static func unsupported(_ version: String) -> RPCError {
        RPCError(
            -32_022, "protocol version '\(version)' is not supported",
            data: ["supported": .strings(supported), "requested": .string(version)])
    }
}
