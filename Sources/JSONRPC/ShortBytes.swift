// SPDX-License-Identifier: Apache-2.0

/// Holds up to 24 bytes in place, without allocation.
package struct ShortBytes: Hashable, Sendable {
    package static let capacity = 24

    /// Byte zero is the lowest byte of the first word; bytes past `count` are zero, so that equality is by words.
    private var words = Words()
    private var length: UInt8 = 0

    private struct Words: Hashable, Sendable {
        var low: UInt64 = 0
        var middle: UInt64 = 0
        var high: UInt64 = 0
    }

    package init() {}

    /// Copies the bytes of a range, or answers nil when they are too many.
    package init?(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        guard range.count <= Self.capacity else { return nil }
        for place in range.reversed() { insertAtFront(bytes[place]) }
    }

    package var count: Int { Int(length) }

    /// Puts a byte before the others; the caller keeps the count within the capacity.
    mutating func insertAtFront(_ byte: UInt8) {
        words.high = words.high << 8 | words.middle >> 56
        words.middle = words.middle << 8 | words.low >> 56
        words.low = words.low << 8 | UInt64(byte)
        length += 1
    }

    /// Lends the bytes to a closure.
    package func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure)
        -> Result
    {
        let stored = (words.low.littleEndian, words.middle.littleEndian, words.high.littleEndian)
        // The tuple is 24 initialized bytes without padding and outlives the span, which the closure cannot keep.
        return try unsafe withUnsafeBytes(of: stored) { buffer throws(Failure) in
            try unsafe body(Span<UInt8>(_unsafeBytes: buffer).extracting(0..<count))
        }
    }

    package var array: [UInt8] {
        withSpan { span in
            var bytes: [UInt8] = []
            bytes.reserveCapacity(span.count)
            for place in span.indices { bytes.append(span[place]) }
            return bytes
        }
    }
}
