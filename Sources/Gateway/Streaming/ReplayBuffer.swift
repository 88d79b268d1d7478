// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore

/// The last events of one stream, for a client that comes back: a bounded, numbered window.
///
/// The newest event is kept however long it is, since it may be the answer that somebody waits for.
struct ReplayBuffer: Sendable {
    enum Replay: Sendable, Equatable {
        case events([MessageBytes])
        /// Some of what follows that number was dropped to stay within the bounds.
        case dropped
        /// No event had that number.
        case unknown
    }

    // Most streams are silent, so nothing is set aside for them.
    private var events = CircularBuffer<MessageBytes>(initialCapacity: 1)
    private(set) var bytes = 0
    /// The number of the newest event ever; 0 before the first.
    private(set) var last = 0

    /// Adds the event of number `last + 1`.
    mutating func append(_ event: MessageBytes, maximumEvents: Int, maximumBytes: Int) {
        last += 1
        events.append(event)
        bytes += event.count
        while events.count > 1, events.count > maximumEvents || bytes > maximumBytes { dropOldest() }
    }

    /// What is left of the events after that number.
    func rest(after number: Int) -> [MessageBytes] { Array(events.suffix(max(0, last - number))) }

    func events(after number: Int) -> Replay {
        guard number >= 0, number <= last else { return .unknown }
        let count = last - number
        return count <= events.count ? .events(rest(after: number)) : .dropped
    }

    /// Drops the oldest events until at least so many bytes are free or nothing is left.
    mutating func free(_ count: Int) {
        let goal = bytes - count
        while bytes > goal, !events.isEmpty { dropOldest() }
    }

    private mutating func dropOldest() {
        if let oldest = events.popFirst() { bytes -= oldest.count }
    }
}
