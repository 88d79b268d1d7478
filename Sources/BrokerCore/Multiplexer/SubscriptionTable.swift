// SPDX-License-Identifier: Apache-2.0

/// Who subscribes to which resource of a shared server: the server hears of the first and of the last only.
///
/// URIs are compared as decoded strings; they are opaque otherwise.
struct SubscriptionTable: Sendable {
    /// What a leaving subscriber means for the server.
    enum Leaving: Sendable, Hashable {
        case othersRemain
        /// Nobody is left: the server has to be asked.
        case last
    }

    private var subscribers: [String: Set<SessionKey>] = [:]

    /// Every resource that somebody subscribes to.
    var uris: [String] { subscribers.keys.sorted() }

    func subscribers(of uri: String) -> Set<SessionKey> { subscribers[uri] ?? [] }

    func holds(_ session: SessionKey) -> Bool { subscribers.values.contains { $0.contains(session) } }

    /// Adds a session where the server is subscribed already; false where it has to be asked.
    mutating func join(_ session: SessionKey, uri: String) -> Bool {
        guard subscribers[uri] != nil else { return false }
        subscribers[uri]?.insert(session)
        return true
    }

    /// Notes that the server took a session's subscription.
    mutating func confirm(_ session: SessionKey, uri: String) { subscribers[uri, default: []].insert(session) }

    /// Takes a session out at once, so that who subscribes after it is asked for anew at the server.
    mutating func leave(_ session: SessionKey, uri: String) -> Leaving {
        remove(session, uri: uri)
        return subscribers[uri] == nil ? .last : .othersRemain
    }

    private mutating func remove(_ session: SessionKey, uri: String) {
        subscribers[uri]?.remove(session)
        if subscribers[uri]?.isEmpty == true { subscribers[uri] = nil }
    }

    /// Takes a session out everywhere and answers the resources that nobody subscribes to any more.
    mutating func removeAll(_ session: SessionKey) -> [String] {
        let left = subscribers.filter { $0.value == [session] }.map(\.key).sorted()
        for uri in subscribers.keys { remove(session, uri: uri) }
        return left
    }
}
