// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// What a client says that it can be asked, as far as a broker has to tell it apart.
///
/// It is not the client's own object, which is passed on as it was written.
package struct ClientCapabilities: OptionSet, Hashable, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let sampling = Self(rawValue: 1)
    package static let roots = Self(rawValue: 2)
    /// Elicitation by a form, which an empty `elicitation` object means too.
    package static let elicitationForm = Self(rawValue: 4)
    package static let elicitationURL = Self(rawValue: 8)
    /// The extension for tasks of 2026-07-28.
    package static let tasks = Self(rawValue: 16)

    /// Sampling with tools, beside ``sampling``.
    package static let samplingTools = Self(rawValue: 32)

    package static let tasksExtension = "io.modelcontextprotocol/tasks"

    /// Reads a capabilities object.
    package init(_ object: JSONValue) {
        var found: Self = []
        if case .object = object["sampling"] {
            found.insert(.sampling)
            if case .object = object["sampling"]?["tools"] { found.insert(.samplingTools) }
        }
        if case .object = object["roots"] { found.insert(.roots) }
        if case .object(let modes) = object["elicitation"] {
            let names = Set(modes.map(\.name))
            if names.contains("url") { found.insert(.elicitationURL) }
            if names.contains("form") || !names.contains("url") { found.insert(.elicitationForm) }
        }
        if object["extensions"]?[Self.tasksExtension] != nil { found.insert(.tasks) }
        self = found
    }

    /// What a request of a server needs; nil for one that no capability stands for.
    package init?(neededFor method: String, params: JSONValue?) {
        switch method {
        case "sampling/createMessage":
            let hasTools = params?["tools"] != nil || params?["toolChoice"] != nil
            self = hasTools ? [.sampling, .samplingTools] : .sampling
        case "roots/list": self = .roots
        case "elicitation/create": self = params?["mode"]?.string == "url" ? .elicitationURL : .elicitationForm
        default: return nil
        }
    }

    /// The same as an object of capabilities, as `requiredCapabilities` has it.
    package var object: JSONValue {
        var members: [JSONValue.Member] = []
        if contains(.samplingTools) {
            members.append(.init("sampling", ["tools": [:]]))
        } else if contains(.sampling) {
            members.append(.init("sampling", [:]))
        }
        if contains(.roots) { members.append(.init("roots", [:])) }
        var modes: [JSONValue.Member] = []
        if contains(.elicitationForm) { modes.append(.init("form", [:])) }
        if contains(.elicitationURL) { modes.append(.init("url", [:])) }
        if !modes.isEmpty { members.append(.init("elicitation", .object(modes))) }
        if contains(.tasks) { members.append(.init("extensions", .object([.init(Self.tasksExtension, [:])]))) }
        return .object(members)
    }
}
