// SPDX-License-Identifier: Apache-2.0

/// What an entry says of the server's tools and of the length of their results.
extension ServerEntry {
    /// Reads `allowedTools` and `tools`; a list in place of the object is what `allow` would hold.
    ///
    /// The filters of Gemini CLI (`includeTools`, `excludeTools`) and of Codex (`enabled_tools`, `disabled_tools`) are
    /// kept too: a tool that the user's own client would not offer must not be offered because Lodge stands between.
    mutating func tools(server: ServerName) throws(ConfigurationError) -> ToolRules {
        var rules = ToolRules(allowed: try patterns("allowedTools"))
        for key in ["includeTools", "enabled_tools"] {
            if let listed = try patterns(key) { rules.allowed = rules.allowed ?? listed }
        }
        for key in ["excludeTools", "disabled_tools"] { rules.denied += try patterns(key) ?? [] }
        guard let tools = take("tools") else { return rules }
        let more: ToolRules
        switch tools.content {
        case .object(let members): more = try self.rules(members, at: tools.offset)
        case .array(let elements): more = ToolRules(allowed: try patterns(elements, "tools"))
        default: throw wrong("tools must be an object with allow, deny and rename, not \(tools.kind)", tools.offset)
        }
        if rules.allowed != nil, more.allowed != nil {
            throw wrong("allowedTools and tools.allow say the same; keep one", tools.offset)
        }
        rules = ToolRules(
            allowed: rules.allowed ?? more.allowed, denied: rules.denied + more.denied, renamed: more.renamed)
        try checkNames(rules, server: server, at: tools.offset)
        return rules
    }

    /// A member that is not known would be a rule that is not kept, so it is an error here.
    private func rules(
        _ members: [PositionedJSON.Member], at offset: Int
    ) throws(ConfigurationError) -> ToolRules {
        var entry = try ServerEntry(members, at: offset, label: "\(label): tools", foldsCase: foldsCase, text: text)
        var rules = ToolRules(allowed: try entry.patterns("allow"))
        rules.denied = try entry.patterns("deny") ?? []
        if let renames = entry.take("rename") { rules.renamed = try entry.names(renames) }
        if let unknown = entry.members.first {
            throw entry.wrong("'\(unknown.key)' is not known; use allow, deny and rename", unknown.offset)
        }
        return rules
    }

    private mutating func patterns(_ key: String) throws(ConfigurationError) -> [ToolPattern]? {
        guard let value = take(key) else { return nil }
        guard case .array(let elements) = value.content else {
            throw wrong("\(key) must be a list of strings, not \(value.kind)", value.offset)
        }
        return try patterns(elements, key)
    }

    private func patterns(
        _ elements: [PositionedJSON], _ key: String
    ) throws(ConfigurationError) -> [ToolPattern] {
        var patterns: [ToolPattern] = []
        for element in elements {
            guard case .string(let pattern) = element.content else {
                throw wrong("\(key) must be a list of strings, not of \(element.kind)", element.offset)
            }
            patterns.append(try ToolPattern.parse(pattern, at: text.location(of: element.offset)))
        }
        return patterns
    }

    private func names(_ renames: PositionedJSON) throws(ConfigurationError) -> [String: String] {
        guard case .object(let entries) = renames.content else {
            throw wrong("rename must be an object of old and new names, not \(renames.kind)", renames.offset)
        }
        var names: [String: String] = [:]
        for entry in entries {
            guard case .string(let new) = entry.value.content else {
                throw wrong("rename \(entry.key) must be a string, not \(entry.value.kind)", entry.value.offset)
            }
            guard Self.isToolName(new) else {
                throw wrong(
                    "the new name '\(new)' cannot be used; use 1 to 128 of A-Z, a-z, 0-9, _, - and .",
                    entry.value.offset)
            }
            guard names[entry.key] == nil else {
                throw wrong("rename has '\(entry.key)' twice; keep one", entry.offset)
            }
            if let other = names.first(where: { $0.value == new }) {
                throw wrong(
                    "'\(other.key)' and '\(entry.key)' would both be named '\(new)'; choose another name",
                    entry.value.offset)
            }
            names[entry.key] = new
        }
        return names
    }

    /// What MCP 2025-11-25 recommends for names of tools (server/tools, tool names).
    private static func isToolName(_ name: String) -> Bool {
        (1...128).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }

    /// Refuses a new name that a tool has which the rules name themselves; others are known only once a server lists.
    private func checkNames(
        _ rules: ToolRules, server: ServerName, at offset: Int
    ) throws(ConfigurationError) {
        for (own, new) in rules.renamed.sorted(by: { $0.key < $1.key }) where own != new && rules.renamed[new] == nil {
            let isListed = rules.allowed?.contains { $0.isExact && $0.matches(server: server, tool: new) } ?? false
            guard isListed, rules.allow(own, of: server), rules.allow(new, of: server) else { continue }
            throw wrong(
                "tools: '\(own)' would be named '\(new)', as another allowed tool is; choose another name", offset)
        }
    }

    /// Reads `result_limit`: a number of bytes, or a text such as `64KiB`.
    mutating func resultLimit() throws(ConfigurationError) -> Int? {
        guard let value = take("result_limit") else { return nil }
        let written: String
        switch value.content {
        case .number(let number): written = number
        case .string(let string): written = string
        default: throw wrong("result_limit must be a number of bytes, not \(value.kind)", value.offset)
        }
        guard let limit = ByteCount.parse(written), limit > 0 else {
            throw wrong(
                "result_limit '\(written)' cannot be used; write bytes as a number, or as in 64KiB or 1MiB",
                value.offset)
        }
        return limit
    }
}
