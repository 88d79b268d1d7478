// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Tools that show what the client has asked of the server so far.
enum SessionTools {
    static func subscriptions(_ session: Session) -> Tool {
        Tool("subscriptions", "Tells the subscribed resources, and counts of what the client has sent") { _, _ in
            let state = session.update { $0 }
            func count(_ method: String) -> JSONValue { .integer(state.counts[method] ?? 0) }
            return .structured([
                "subscribed": .strings(state.subscribed.sorted()),
                "subscribeRequests": count("resources/subscribe"),
                "unsubscribeRequests": count("resources/unsubscribe"),
                "initializeRequests": count("initialize"),
                "initializedNotifications": count("notifications/initialized"),
                "cancelledNotifications": count("notifications/cancelled"),
                "rootsListChangedNotifications": count("notifications/roots/list_changed"),
                "setLevelRequests": count("logging/setLevel"),
                "level": .string(state.level.rawValue),
                "protocolVersion": state.revision.map { .string($0.rawValue) } ?? .null,
                "clientInfo": state.clientInfo,
                "clientCapabilities": state.clientCapabilities,
            ])
        }
    }

    static func log(_ session: Session) -> Tool {
        Tool(
            "log", "Sends a log message, if its level is severe enough",
            properties: ["level": ["type": "string"], "message": ["type": "string"]]
        ) { arguments, context in
            guard let level = LogLevel(rawValue: try arguments.string("level")) else {
                throw ToolFailure("argument 'level' must be one of \(LogLevel.names)")
            }
            session.log(level, .string(try arguments.string("message")), over: context.connection)
            return .content(.text("logged"))
        }
    }
}
