// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// Which changes a client wants to hear of (2026-07-28, subscriptions, notification filter).
package struct ListenFilter: Hashable, Sendable {
    /// A list that can change.
    package enum List: String, Hashable, Sendable, CaseIterable {
        case tools, prompts, resources

        /// The method of the notice.
        package var notice: String { "notifications/\(rawValue)/list_changed" }
        /// The member of a filter.
        var member: String { "\(rawValue)ListChanged" }

        package init?(notice: String) {
            guard let list = Self.allCases.first(where: { $0.notice == notice }) else { return nil }
            self = list
        }
    }

    package var lists: Set<List>
    /// In the order of the client, each once.
    package var resources: [String]

    package init(lists: Set<List>, resources: [String]) {
        self.lists = lists
        self.resources = resources
    }

    /// Reads `params.notifications`; nil where it is not of that form.
    package init?(_ notifications: JSONValue?) {
        guard case .object? = notifications else { return nil }
        lists = []
        resources = []
        for list in List.allCases {
            guard let wish = notifications?[list.member] else { continue }
            guard let wished = wish.bool else { return nil }
            if wished { lists.insert(list) }
        }
        guard let wish = notifications?["resourceSubscriptions"] else { return }
        guard let elements = wish.elements else { return nil }
        var seen: Set<String> = []
        for element in elements {
            guard let uri = element.string else { return nil }
            if seen.insert(uri).inserted { resources.append(uri) }
        }
    }

    /// The part of the filter that a server with these capabilities can honour.
    package func honoured(by capabilities: JSONValue?) -> ListenFilter {
        ListenFilter(
            lists: lists.filter { capabilities?[$0.rawValue]?["listChanged"]?.bool == true },
            resources: capabilities?["resources"]?["subscribe"]?.bool == true ? resources : [])
    }

    /// The same as a `notifications` object.
    package var object: JSONValue {
        var members = List.allCases.filter { lists.contains($0) }.map { JSONValue.Member($0.member, true) }
        if !resources.isEmpty {
            members.append(.init("resourceSubscriptions", .array(resources.map { .string($0) })))
        }
        return .object(members)
    }
}
