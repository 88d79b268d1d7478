// SPDX-License-Identifier: Apache-2.0

/// Replaces a few values in a message and leaves every other byte as it came.
///
/// It knows ranges and names, no bytes: `forEachPiece` says in which order to write which slice of the message and
/// which replacement, so that its caller can write slices without copying them together.
package struct Splice: Hashable, Sendable {
    /// Names a replacement; what its bytes are, the caller knows.
    package enum Slot: UInt8, Hashable, Sendable {
        case id, token, requestID, subscriptionID, name, uri, requestState, protocolVersion, meta, resultHead, errorCode
    }

    /// The next bytes to write.
    package enum Piece: Hashable, Sendable {
        /// Bytes of the message, never empty.
        case original(Range<Int>)
        /// The bytes that the caller has for this slot.
        case replacement(Slot)
    }

    /// The most replacements in one message.
    package static let capacity = 4

    /// What of the message is written at all; `Envelope/value` leaves white space around it out.
    private let value: Range<Int>
    /// In the order of the message; only the first `count` lanes mean something.
    private var starts = SIMD4<Int>()
    private var ends = SIMD4<Int>()
    private var slots = SIMD4<UInt8>()
    private var count = 0

    package init(_ value: Range<Int>) {
        self.value = value
    }

    /// Plans the replacement of a range; nil, for a part that the message does not have, plans nothing.
    ///
    /// Ranges of one message must not overlap and lie within the value, and there can be `capacity` of them: who breaks
    /// that has confused two messages, and would write one caller's bytes to another, so it is a precondition.
    package mutating func replace(_ range: Range<Int>?, with slot: Slot) {
        guard let range else { return }
        precondition(count < Self.capacity, "a splice takes at most four replacements")
        precondition(
            value.lowerBound <= range.lowerBound && range.upperBound <= value.upperBound, "outside the message")
        var lane = count
        while lane > 0, starts[lane - 1] >= range.upperBound {
            (starts[lane], ends[lane], slots[lane]) = (starts[lane - 1], ends[lane - 1], slots[lane - 1])
            lane -= 1
        }
        precondition(lane == 0 || ends[lane - 1] <= range.lowerBound, "replacements overlap")
        (starts[lane], ends[lane], slots[lane]) = (range.lowerBound, range.upperBound, slot.rawValue)
        count += 1
    }

    /// The bytes of the message that stay; the length of the result is this and the lengths of the replacements.
    package var keptCount: Int {
        var kept = value.count
        for lane in 0..<count { kept -= ends[lane] - starts[lane] }
        return kept
    }

    /// Goes through the pieces of the result in order.
    package func forEachPiece<Failure: Error>(_ body: (Piece) throws(Failure) -> Void) throws(Failure) {
        var written = value.lowerBound
        for lane in 0..<count {
            if written < starts[lane] { try body(.original(written..<starts[lane])) }
            if let slot = Slot(rawValue: slots[lane]) { try body(.replacement(slot)) }
            written = ends[lane]
        }
        if written < value.upperBound { try body(.original(written..<value.upperBound)) }
    }

    /// The result as one array, for callers that may copy.
    package func bytes(of message: Span<UInt8>, replacement: (Slot) -> [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(keptCount + count * ShortBytes.capacity)
        forEachPiece { piece in
            switch piece {
            case .original(let range): result.append(message, range)
            case .replacement(let slot): result.append(contentsOf: replacement(slot))
            }
        }
        return result
    }
}
