// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// The client requests that a relay has to tell apart; every other one passes as it is.
package enum ClientRequest: Hashable, Sendable {
    case initialize, ping, subscribe, unsubscribe, setLevel, listTools, callTool
    /// `tasks/…` of 2025-11-25: names a task by an id that any client could guess.
    case task
    case other

    package init(_ envelope: Envelope, in bytes: Span<UInt8>) {
        self = .other
        guard let method = envelope.method else { return }
        func isMethod(_ name: StaticString) -> Bool { envelope.isMethod(name, in: bytes) }
        // The lengths differ enough that one comparison decides almost always.
        switch method.count {
        case 10 where isMethod("tools/call"): self = .callTool
        case 10 where isMethod("initialize"): self = .initialize
        case 10 where isMethod("tools/list"): self = .listTools
        case 4 where isMethod("ping"): self = .ping
        case 19 where isMethod("resources/subscribe"): self = .subscribe
        case 21 where isMethod("resources/unsubscribe"): self = .unsubscribe
        case 16 where isMethod("logging/setLevel"): self = .setLevel
        case 9 where isMethod("tasks/get"), 10 where isMethod("tasks/list"): self = .task
        case 12 where isMethod("tasks/result") || isMethod("tasks/cancel"): self = .task
        default: if envelope.methodHasEscapes { self = Self.escaped(envelope, in: bytes) }
        }
    }

    /// A method name written with escapes is legal JSON, and must not slip past a rule.
    private static func escaped(_ envelope: Envelope, in bytes: Span<UInt8>) -> ClientRequest {
        let names: [(StaticString, ClientRequest)] = [
            ("initialize", .initialize), ("ping", .ping), ("resources/subscribe", .subscribe),
            ("resources/unsubscribe", .unsubscribe), ("logging/setLevel", .setLevel), ("tools/list", .listTools),
            ("tools/call", .callTool), ("tasks/get", .task), ("tasks/list", .task), ("tasks/result", .task),
            ("tasks/cancel", .task),
        ]
        return names.first { envelope.isMethod($0.0, in: bytes) }?.1 ?? .other
    }
}

/// The client notifications that a relay has to tell apart.
package enum ClientNotification: Hashable, Sendable {
    case initialized, cancelled, progress, rootsListChanged, other

    package init(_ envelope: Envelope, in bytes: Span<UInt8>) {
        if envelope.isMethod("notifications/cancelled", in: bytes) {
            self = .cancelled
        } else if envelope.isMethod("notifications/initialized", in: bytes) {
            self = .initialized
        } else if envelope.isMethod("notifications/progress", in: bytes) {
            self = .progress
        } else if envelope.isMethod("notifications/roots/list_changed", in: bytes) {
            self = .rootsListChanged
        } else {
            self = .other
        }
    }
}

/// The messages with a method that a server sends, as far as a relay has to tell them apart.
package enum ServerMethod: Hashable, Sendable {
    case progress, cancelled, message, listChanged, resourceUpdated, ping, other

    package init(_ envelope: Envelope, in bytes: Span<UInt8>) {
        if envelope.isMethod("notifications/progress", in: bytes) {
            self = .progress
        } else if envelope.isMethod("notifications/message", in: bytes) {
            self = .message
        } else if envelope.isMethod("notifications/resources/updated", in: bytes) {
            self = .resourceUpdated
        } else if envelope.isMethod("notifications/cancelled", in: bytes) {
            self = .cancelled
        } else if envelope.isMethod("ping", in: bytes) {
            self = .ping
        } else if envelope.isMethod("notifications/tools/list_changed", in: bytes)
            || envelope.isMethod("notifications/prompts/list_changed", in: bytes)
            || envelope.isMethod("notifications/resources/list_changed", in: bytes)
        {
            self = .listChanged
        } else {
            self = .other
        }
    }
}
