// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration

/// Decides whether a tool of one server may be used, and under which name; listing and calling both ask it.
///
/// It is not the agent's own permission system, and it knows nothing of arguments. Both questions are one: a client may
/// call what `name(forClients:)` gives a name, and nothing else, because `ownName(of:)` is its inverse. Which tools the
/// server has does not matter, so a page of a list or a call before any list is decided alike.
package struct ToolPolicy: Sendable, Equatable {
    private struct Named: Sendable, Equatable {
        let server: ServerName
        let rules: ToolRules
        /// The server's own names of allowed tools that were given a new one, by that new name.
        let ownNames: [String: String]
    }

    /// What has to be looked at; nil allows every tool under its own name.
    private let named: Named?

    /// Allows the tools of a server that its rules allow, under the names that they say.
    package init(server: ServerName, rules: ToolRules) {
        guard rules != ToolRules() else {
            named = nil
            return
        }
        var ownNames: [String: String] = [:]
        // Two tools of one new name are refused where rules are read; here the first name in order keeps it.
        for (own, new) in rules.renamed.sorted(by: { $0.key < $1.key }) where rules.allow(own, of: server) {
            if ownNames[new] == nil { ownNames[new] = own }
        }
        named = Named(server: server, rules: rules, ownNames: ownNames)
    }

    /// Allows the tools of a server that fit a pattern; no pattern allows none.
    package init(server: ServerName, allowing patterns: [ToolPattern]) {
        self.init(server: server, rules: ToolRules(allowed: patterns))
    }

    private init() { named = nil }

    /// Every tool of the server, under its own name.
    package static let everything = ToolPolicy()

    /// Whether nothing has to be checked.
    package var allowsEverything: Bool { named == nil }

    /// The name under which clients list and call a tool of the server; nil where it is not theirs.
    package func name(forClients own: String) -> String? {
        guard let named else { return own }
        guard named.rules.allow(own, of: named.server) else { return nil }
        let name = named.rules.renamed[own] ?? own
        // A name that was given to one tool is not another's as well.
        guard let holder = named.ownNames[name] else { return name }
        return holder == own ? name : nil
    }

    /// The server's own name of what clients call by this name; nil where there is nothing for them.
    package func ownName(of name: String) -> String? {
        guard let named else { return name }
        if let own = named.ownNames[name] { return own }
        guard named.rules.renamed[name] == nil else { return nil }
        return named.rules.allow(name, of: named.server) ? name : nil
    }

    /// Whether a tool that the rules allow is left out, because its name was given to another.
    package func isNameTaken(_ own: String) -> Bool {
        guard let named, named.rules.allow(own, of: named.server) else { return false }
        return name(forClients: own) == nil
    }

    /// Whether clients may call something by this name.
    package func allows(_ name: String) -> Bool { ownName(of: name) != nil }
}
