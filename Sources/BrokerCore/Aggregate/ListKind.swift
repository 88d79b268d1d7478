// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// The lists that an aggregate joins.
enum ListKind: Sendable, CaseIterable {
    case tools, prompts, resources, templates

    var method: String {
        switch self {
        case .tools: "tools/list"
        case .prompts: "prompts/list"
        case .resources: "resources/list"
        case .templates: "resources/templates/list"
        }
    }

    /// The capability that a server with this list declares.
    var capability: String {
        switch self {
        case .tools: "tools"
        case .prompts: "prompts"
        case .resources, .templates: "resources"
        }
    }

    /// The member of the result that holds the list.
    var resultMember: StaticString {
        switch self {
        case .tools: "tools"
        case .prompts: "prompts"
        case .resources: "resources"
        case .templates: "resourceTemplates"
        }
    }

    /// The member of an entry by which clients name it.
    var entryMember: StaticString {
        switch self {
        case .tools, .prompts: "name"
        case .resources: "uri"
        case .templates: "uriTemplate"
        }
    }

    /// The capabilities whose lists can change; each has a notice of its own.
    static let announced = ["tools", "prompts", "resources"]

    static func changeNotice(of capability: String) -> MessageBytes {
        LodgeMessage.notification("notifications/\(capability)/list_changed")
    }
}
