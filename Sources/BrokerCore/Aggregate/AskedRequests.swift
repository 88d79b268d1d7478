// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// The requests of members that one client has not answered yet, under ids of the aggregate's.
///
/// Members count their requests each for itself, so their ids and progress tokens meet in one client. It is bounded:
/// the oldest request makes room, since its server has given it up long before.
struct AskedRequests: Sendable {
    struct Request: Sendable, Equatable {
        let member: String
        /// The id under which the member sent it.
        let id: RawID
        /// The progress token that the member chose, if it wants to hear of progress.
        let token: RawID?
    }

    static let capacity = 1024

    private var requests: [Ticket: Request] = [:]
    private var last: Ticket = 0

    var isEmpty: Bool { requests.isEmpty }

    /// Takes a request in and answers the id, and progress token, under which the client is to get it.
    mutating func add(_ request: Request) -> Ticket {
        last += 1
        if requests.count >= Self.capacity, let oldest = requests.keys.min() { requests[oldest] = nil }
        requests[last] = request
        return last
    }

    /// Takes the request out that a client answers.
    mutating func take(_ ticket: Ticket) -> Request? { requests.removeValue(forKey: ticket) }

    /// The request whose progress a client reports.
    func request(_ ticket: Ticket) -> Request? { requests[ticket] }

    /// Takes a request out that its member withdraws, and answers the client's id of it.
    mutating func withdraw(_ id: RawID, of member: String) -> Ticket? {
        guard let found = requests.first(where: { $0.value.member == member && $0.value.id == id }) else { return nil }
        requests[found.key] = nil
        return found.key
    }

    mutating func removeAll(of member: String) { requests = requests.filter { $0.value.member != member } }
}
