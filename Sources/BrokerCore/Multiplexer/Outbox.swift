// SPDX-License-Identifier: Apache-2.0

/// What a server wants to tell its one client, which has no stream and no call open at the moment.
///
/// It is bounded: the oldest notification makes room for a new one, and a request that finds no room is refused.
struct Outbox: Sendable {
    private static let capacity = 64
    private static let byteLimit = 1024 * 1024

    private var requests: [(ticket: Ticket, message: MessageBytes)] = []
    private var notifications: [MessageBytes] = []
    private var bytes = 0

    var isEmpty: Bool { requests.isEmpty && notifications.isEmpty }

    /// Keeps a request; false where there is no room.
    mutating func add(request: MessageBytes, ticket: Ticket) -> Bool {
        guard requests.count < Self.capacity, bytes + request.count <= Self.byteLimit else { return false }
        requests.append((ticket, request))
        bytes += request.count
        return true
    }

    /// Takes a request back that no client has seen yet; false where it is not here.
    mutating func remove(_ ticket: Ticket) -> Bool {
        guard let index = requests.firstIndex(where: { $0.ticket == ticket }) else { return false }
        bytes -= requests.remove(at: index).message.count
        return true
    }

    mutating func add(notification: MessageBytes) {
        guard notification.count <= Self.byteLimit else { return }
        notifications.append(notification)
        bytes += notification.count
        while notifications.count > Self.capacity || (bytes > Self.byteLimit && !notifications.isEmpty) {
            bytes -= notifications.removeFirst().count
        }
    }

    /// Takes the waiting requests; nil where there are none.
    mutating func takeRequests() -> [MessageBytes]? {
        guard !requests.isEmpty else { return nil }
        defer { requests = [] }
        bytes -= requests.reduce(0) { $0 + $1.message.count }
        return requests.map(\.message)
    }

    /// Takes everything, notifications first.
    mutating func takeAll() -> [MessageBytes] {
        defer { self = Outbox() }
        return notifications + requests.map(\.message)
    }
}
