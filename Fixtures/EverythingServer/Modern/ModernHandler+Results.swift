// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What the server says of itself, in one result and in all.
extension ModernHandler {
    /// A result with what every result has (MCP 2026-07-28, per-response protocol fields); it keeps a type it has.
    @Sendable
    static func completed(_ result: JSONValue) -> JSONValue {
        var result = result
        result["resultType"] = result["resultType"] ?? "complete"
        var meta = result["_meta"] ?? [:]
        let name = "\(Envelope.prefix)serverInfo"
        meta[name] = meta[name] ?? Session.shortServerInfo
        result["_meta"] = meta
        return result
    }

    static let discovery: JSONValue = [
        "_meta": .object([.init("\(Envelope.prefix)serverInfo", Session.serverInfo)]),
        "supportedVersions": .strings(Envelope.supported),
        "capabilities": [
            "logging": [:],
            "prompts": ["listChanged": true],
            "resources": ["subscribe": true, "listChanged": true],
            "tools": ["listChanged": true],
            "completions": [:],
            "experimental": ["everything/fixture": ["kept": true]],
            "extensions": .object([.init(ModernTasks.extensionName, [:])]),
        ],
        "instructions": .string(Session.instructions),
    ]
}
