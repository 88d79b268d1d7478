// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Synchronization

/// The `subscriptions/listen` requests that are open (MCP 2026-07-28, subscriptions).
///
/// Notices are written while the list is locked, so that the acknowledgment comes first and nothing comes after the end.
final class Listens: Sendable {
    private struct Listen {
        let id: JSONValue
        let lists: Set<String>
        let uris: Set<String>
        let ender: AsyncStream<Never>.Continuation
    }

    private let open = Mutex<[Listen]>([])
    private static let kinds = ["tools", "prompts", "resources"]

    /// Acknowledges a request and keeps it; the stream ends when the server ends the subscription.
    func begin(_ request: Request, over connection: Connection) throws(RPCError) -> AsyncStream<Never> {
        guard let filter = request.params["notifications"], filter.members != nil else {
            throw .invalidParams("'notifications' must be an object")
        }
        let lists = Self.kinds.filter { filter["\($0)ListChanged"]?.flag == true }
        let uris = filter["resourceSubscriptions"]?.elements?.compactMap(\.text)
        var agreed = JSONValue.object(lists.map { .init("\($0)ListChanged", true) })
        agreed["resourceSubscriptions"] = uris.map { .strings($0) }
        let (stream, ender) = AsyncStream<Never>.makeStream()
        open.withLock { open in
            Self.notify("subscriptions/acknowledged", ["notifications": agreed], request.id, over: connection)
            open.append(Listen(id: request.id, lists: Set(lists), uris: Set(uris ?? []), ender: ender))
        }
        return stream
    }

    /// Forgets a listen; answers whether it was open.
    @discardableResult
    func close(_ id: JSONValue) -> Bool {
        open.withLock { open in
            guard let place = open.firstIndex(where: { $0.id == id }) else { return false }
            open.remove(at: place)
            return true
        }
    }

    /// Ends every subscription from the server's side; answers how many there were.
    func endAll() -> Int {
        let ended = open.withLock { open in
            defer { open = [] }
            return open
        }
        for listen in ended { listen.ender.finish() }
        return ended.count
    }

    var uris: Set<String> { open.withLock { $0.reduce(into: []) { $0.formUnion($1.uris) } } }

    func announce(changeOf list: String, over connection: Connection) {
        open.withLock { open in
            for listen in open where listen.lists.contains(list) {
                Self.notify("\(list)/list_changed", [:], listen.id, over: connection)
            }
        }
    }

    /// Answers whether a listen asked for that resource.
    func announce(updateOf uri: String, over connection: Connection) -> Bool {
        open.withLock { open in
            let wanting = open.filter { $0.uris.contains(uri) }
            for listen in wanting {
                Self.notify("resources/updated", ["uri": .string(uri)], listen.id, over: connection)
            }
            return !wanting.isEmpty
        }
    }

    /// The `_meta` of everything that belongs to a subscription.
    static func meta(_ id: JSONValue) -> JSONValue { .object([.init("\(Envelope.prefix)subscriptionId", id)]) }

    private static func notify(_ name: String, _ params: JSONValue, _ id: JSONValue, over connection: Connection) {
        var params = params
        params["_meta"] = meta(id)
        connection.notify("notifications/\(name)", params)
    }
}
