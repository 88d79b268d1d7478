// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Tools that report while they run, and tools that change a list and tell the client.
struct ChangeTools {
    let session: Session
    let link: any ClientLink

    static let dynamicTool = Tool("test_dynamic_tool", "A tool that comes and goes") { _, _ in
        .content(.text("dynamic"))
    }

    var all: [Tool] {
        [
            logging, progress, reconnection,
            trigger("tool", "tools", \.hasDynamicTool),
            trigger("prompt", "prompts", \.hasDynamicPrompt),
            trigger("resource", "resources", \.hasDynamicResource),
            notifyUpdated,
        ]
    }

    private var logging: Tool {
        Tool("test_tool_with_logging", "Sends three log messages") { _, context in
            for (index, text) in ["started", "processing data", "completed"].enumerated() {
                if index > 0 { try await Task.sleep(for: .milliseconds(50)) }
                let message = text == "processing data" ? "Tool \(text)" : "Tool execution \(text)"
                link.log(.info, .string(message), context)
            }
            return .content(.text("Tool with logging executed successfully"))
        }
    }

    private var progress: Tool {
        Tool("test_tool_with_progress", "Reports progress three times") { _, context in
            for (index, percent) in [0, 50, 100].enumerated() {
                if index > 0 { try await Task.sleep(for: .milliseconds(50)) }
                context.progress(Double(percent), of: 100, message: "Completed step \(percent) of 100")
            }
            return .content(.text("Tool with progress executed successfully"))
        }
    }

    /// Over HTTP this test is about a stream that ends early; here there is only the order of messages to keep.
    private var reconnection: Tool {
        Tool("test_reconnection", "Logs, waits long enough for a client to reconnect, and logs again") { _, context in
            link.log(.info, "Before disconnect", context)
            try await Task.sleep(for: .milliseconds(200))
            link.log(.info, "After reconnect", context)
            return .content(.text("Reconnection test completed"))
        }
    }

    /// A tool that adds the changing item to a list, or takes it away when it is there.
    private func trigger(
        _ item: String, _ list: String, _ path: any WritableKeyPath<Session.State, Bool> & Sendable
    ) -> Tool {
        Tool("test_trigger_\(item)_change", "Adds test_dynamic_\(item) or takes it away, and says so") { _, context in
            let isThere = session.update { state in
                state[keyPath: path].toggle()
                return state[keyPath: path]
            }
            link.announce(changeOf: list, over: context.connection)
            return .content(.text("\(item) list changed: test_dynamic_\(item) \(isThere ? "added" : "removed")"))
        }
    }

    private var notifyUpdated: Tool {
        Tool(
            "notify_resource_updated", "Tells the client that a resource changed, if it has subscribed to it",
            properties: ["uri": ["type": "string"]]
        ) { arguments, context in
            let uri = try arguments.string("uri")
            let isWanted = link.announce(updateOf: uri, over: context.connection)
            return .content(.text(isWanted ? "notified" : "not subscribed"))
        }
    }
}
