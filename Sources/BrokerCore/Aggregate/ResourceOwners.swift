// SPDX-License-Identifier: Apache-2.0

/// Which member each resource of an aggregate session belongs to, and which of them clients see under a prefix.
///
/// The first member that lists a URI owns it, in the order of configuration where several do at once; others have it
/// under `lodge+<server>:`. A member that is gone keeps what it owns, so that nothing is renamed while it is down. URIs
/// are compared as decoded strings; they are opaque otherwise. It serves templates likewise.
struct ResourceOwners: Sendable {
    private var owners: [String: String] = [:]
    /// For each member: what it listed last, and whether that has the prefix.
    private var prefixed: [String: [String: Bool]] = [:]
    /// The members that have anything under a prefix.
    private(set) var renamed: Set<String> = []

    /// Takes a member's whole list and answers, for each entry, whether it has the prefix.
    mutating func list(_ uris: [String], of member: String) -> [Bool] {
        var listed: [String: Bool] = [:]
        let flags = uris.map { uri in
            let flag = prefixed[member]?[uri] ?? (owners[uri, default: member] != member)
            if !flag { owners[uri] = member }
            listed[uri] = flag
            return flag
        }
        for (uri, flag) in prefixed[member] ?? [:] where listed[uri] == nil && !flag { owners[uri] = nil }
        prefixed[member] = listed
        if flags.contains(true) { renamed.insert(member) } else { renamed.remove(member) }
        return flags
    }

    func owner(of uri: String) -> String? { owners[uri] }

    /// Whether clients see this resource of a member under the prefix.
    func isPrefixed(_ uri: String, of member: String) -> Bool {
        prefixed[member]?[uri] ?? (owners[uri, default: member] != member)
    }

    /// What a member owns, in a stable order.
    func owned(by member: String) -> [String] {
        (prefixed[member] ?? [:]).filter { !$0.value }.keys.sorted()
    }

    /// A member was taken out of the configuration.
    mutating func forget(_ member: String) {
        prefixed[member] = nil
        renamed.remove(member)
        owners = owners.filter { $0.value != member }
    }
}
