// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// A question as an input request (MCP 2026-07-28, multi round-trip requests).
extension Question {
    /// The value of `inputRequests`.
    var inputRequest: JSONValue {
        var request: JSONValue = ["method": .string(method)]
        request["params"] = params ?? [:]
        if part == "form" { request["params"]?["mode"] = "form" }
        return request
    }

    /// The capabilities that the question needs, as `data.requiredCapabilities` of a refusal.
    var required: JSONValue {
        let part: JSONValue = part == "url" ? ["url": [:]] : [:]
        return .object([.init(capability, part)])
    }

    /// Whether a client with these capabilities may be asked; `elicitation` that names no mode means forms.
    func isDeclared(in capabilities: JSONValue) -> Bool {
        guard let declared = capabilities[capability] else { return false }
        guard let part else { return true }
        return declared[part] != nil || (part == "form" && declared.members?.isEmpty == true)
    }

    /// Whether a value is an answer to this question; what is not is asked for again.
    func accepts(_ answer: JSONValue) -> Bool {
        switch method {
        case "roots/list": return answer["roots"]?.elements != nil
        case "sampling/createMessage": return answer["content"] != nil
        default:
            guard let action = answer["action"]?.text, ["accept", "decline", "cancel"].contains(action) else {
                return false
            }
            let fields = (params?["requestedSchema"]?["required"]?.elements ?? []).compactMap(\.text)
            return action != "accept" || fields.allSatisfy { answer["content"]?[$0] != nil }
        }
    }
}
