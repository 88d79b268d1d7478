// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Tools that show what the client has asked of the server so far.
enum SessionTools {
    static func subscriptions(_ session: Session, _ link: any ClientLink) -> Tool {
        Tool("subscriptions", "Tells the subscribed resources, and counts of what the client has sent") { _, _ in
            let counts = session.read(\.counts)
            let view = link.view
            func count(_ method: String) -> JSONValue { .integer(counts[method] ?? 0) }
            let byMethod = counts.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, .integer($0.value)) }
            return .structured([
                "subscribed": .strings(view.subscribed.sorted()),
                "subscribeRequests": count("resources/subscribe"),
                "unsubscribeRequests": count("resources/unsubscribe"),
                "initializeRequests": count("initialize"),
                "initializedNotifications": count("notifications/initialized"),
                "cancelledNotifications": count("notifications/cancelled"),
                "rootsListChangedNotifications": count("notifications/roots/list_changed"),
                "setLevelRequests": count("logging/setLevel"),
                "counts": .object(byMethod),
                "level": .string(view.level.rawValue),
                "protocolVersion": view.protocolVersion,
                "clientInfo": view.info,
                "clientCapabilities": view.capabilities,
            ])
        }
    }

    static func log(_ link: any ClientLink) -> Tool {
        Tool(
            "log", "Sends a log message, if its level is severe enough",
            properties: ["level": ["type": "string"], "message": ["type": "string"]]
        ) { arguments, context in
            guard let level = LogLevel(rawValue: try arguments.string("level")) else {
                throw ToolFailure("argument 'level' must be one of \(LogLevel.names)")
            }
            link.log(level, .string(try arguments.string("message")), context)
            return .content(.text("logged"))
        }
    }
}
