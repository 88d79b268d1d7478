// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// What the server knows of its client and of what the client has asked for.
final class Session: Sendable {
    struct State {
        /// The agreed revision; nil before `initialize`.
        var revision: Revision?
        var clientCapabilities: JSONValue = [:]
        var clientInfo: JSONValue = [:]
        var level = LogLevel.info
        var subscribed: Set<String> = []
        /// How many requests and notifications came in, by method.
        var counts: [String: Int] = [:]
        var hasDynamicTool = false
        var hasDynamicPrompt = false
        var hasDynamicResource = false
    }

    private let state = Mutex(State())

    func read<Value: Sendable>(_ path: KeyPath<State, Value>) -> Value { state.withLock { $0[keyPath: path] } }

    /// Changes something of the state and answers what `change` answers.
    func update<Value: Sendable>(_ change: (inout State) -> Value) -> Value { state.withLock { change(&$0) } }

    func count(_ method: String) { update { $0.counts[method, default: 0] += 1 } }

    func initialize(_ params: JSONValue) -> JSONValue {
        let revision = Revision(requested: params)
        update { state in
            state.revision = revision
            state.clientCapabilities = params["capabilities"] ?? [:]
            state.clientInfo = params["clientInfo"] ?? [:]
        }
        var result = ToolServer.welcome(params, name: "everything", capabilities: Self.capabilities(in: revision))
        result["serverInfo"] = Self.serverInfo
        result["instructions"] = .string(Self.instructions)
        return result
    }

    static let serverInfo: JSONValue = [
        "name": "everything", "title": "Everything Server", "version": "1.0.0",
        "icons": [Media.icon], "websiteUrl": "https://example.com/everything",
    ]

    /// Who the server is, for results that say it in passing.
    static let shortServerInfo: JSONValue = ["name": "everything", "title": "Everything Server", "version": "1.0.0"]

    static let instructions = "Call 'echo' first. This server exists for tests and answers the same each time."

    private static func capabilities(in revision: Revision) -> JSONValue {
        var capabilities: JSONValue = [
            "logging": [:],
            "prompts": ["listChanged": true],
            "resources": ["subscribe": true, "listChanged": true],
            "tools": ["listChanged": true],
            "experimental": ["everything/fixture": ["kept": true]],
        ]
        if revision >= .march2025 { capabilities["completions"] = [:] }
        if revision >= .november2025 {
            capabilities["tasks"] = ["list": [:], "cancel": [:], "requests": ["tools": ["call": [:]]]]
        }
        return capabilities
    }

    func setLevel(_ params: JSONValue) -> Result<JSONValue, RPCError> {
        guard let level = params["level"]?.text.flatMap(LogLevel.init(rawValue:)) else {
            return .failure(.invalidParams("'level' must be one of \(LogLevel.names)"))
        }
        update { $0.level = level }
        return .success([:])
    }

    func subscribe(_ params: JSONValue) -> Result<JSONValue, RPCError> {
        change(params) { _ = $0.insert($1) }
    }

    func unsubscribe(_ params: JSONValue) -> Result<JSONValue, RPCError> {
        change(params) { _ = $0.remove($1) }
    }

    private func change(
        _ params: JSONValue, _ body: (inout Set<String>, String) -> Void
    ) -> Result<JSONValue, RPCError> {
        guard let uri = params["uri"]?.text else { return .failure(.invalidParams("'uri' must be a string")) }
        update { body(&$0.subscribed, uri) }
        return .success([:])
    }
}

/// The levels of RFC 5424, from the least severe on.
enum LogLevel: String, CaseIterable, Comparable {
    case debug, info, notice, warning, error, critical, alert, emergency

    static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// The parameters of `notifications/message`.
    func message(_ data: JSONValue) -> JSONValue {
        ["level": .string(rawValue), "logger": "everything", "data": data]
    }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}
