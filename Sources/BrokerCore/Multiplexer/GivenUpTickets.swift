// SPDX-License-Identifier: Apache-2.0

/// Tickets whose call ended without the server's answer, so that a late answer is told from an unknown one.
///
/// It is bounded: the oldest ticket is forgotten first, and its answer then counts as unknown.
struct GivenUpTickets: Sendable {
    private static let capacity = 4096

    private var tickets: Set<Ticket> = []
    private var order: [Ticket] = []

    mutating func insert(_ ticket: Ticket) {
        guard tickets.insert(ticket).inserted else { return }
        order.append(ticket)
        guard order.count > Self.capacity else { return }
        // Half at once, so that the array is not shifted for every ticket.
        for old in order.prefix(Self.capacity / 2) { tickets.remove(old) }
        order.removeFirst(Self.capacity / 2)
    }

    /// Whether the ticket was given up; it counts once.
    mutating func remove(_ ticket: Ticket) -> Bool { tickets.remove(ticket) != nil }

    mutating func removeAll() { self = GivenUpTickets() }
}
