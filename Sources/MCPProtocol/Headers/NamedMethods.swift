// SPDX-License-Identifier: Apache-2.0

/// Which requests say in the header `Mcp-Name` what they are about (2026-07-28, basic/transports/streamable-http, and
/// the tasks extension).
package enum NamedMethod {
    /// The member of `params` whose string is the header's value; nil for a method that has no such header.
    package static func member(of method: String) -> String? {
        switch method {
        case "tools/call", "prompts/get": "name"
        case "resources/read": "uri"
        case "tasks/get", "tasks/update", "tasks/cancel": "taskId"
        default: nil
        }
    }
}
