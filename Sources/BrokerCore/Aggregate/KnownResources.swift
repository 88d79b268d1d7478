// SPDX-License-Identifier: Apache-2.0

/// What a client of an aggregate was told of its members' resources and templates, and whose each is.
///
/// It is not the lists themselves. A legacy client's belongs to its session, modern ones' to their principal
/// (``PrincipalResources``).
struct KnownResources: Sendable {
    var resources = ResourceOwners()
    var templates = ResourceOwners()
    /// Whether the two maps hold what the members have now.
    var isCurrent = false

    /// Joins what members listed, and notes whose resources are whose.
    mutating func merge(_ parts: [ListPart], _ kind: ListKind) -> [[UInt8]] {
        switch kind {
        case .tools, .prompts: ListMerge.named(parts, kind)
        case .resources: ListMerge.owned(parts, kind, &resources)
        case .templates: ListMerge.owned(parts, kind, &templates)
        }
    }

    /// Takes what members have now of both kinds; it is not all there is where one of them dropped out.
    mutating func update(_ resources: [ListPart], _ templates: [ListPart]) {
        _ = merge(resources, .resources)
        _ = merge(templates, .templates)
        isCurrent = (resources + templates).allSatisfy { $0.entries != nil }
    }

    /// The first of these members that owns a template which a URI fits.
    func templateOwner(of uri: String, among members: [AggregateMember]) -> AggregateMember? {
        members.first { member in
            templates.owned(by: member.name).contains { URITemplate($0).fits(uri) }
        }
    }

    /// A member was taken out of the configuration.
    mutating func forget(_ member: String) {
        resources.forget(member)
        templates.forget(member)
    }
}
