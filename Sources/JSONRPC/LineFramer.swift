// SPDX-License-Identifier: Apache-2.0

/// Cuts a byte stream into lines, without holding any of it.
///
/// It looks at each chunk in turn and says which bytes belong to which line; its owner slices and keeps them. A line
/// ends with a line feed, which is in no part; a CR before it stays, being white space to JSON. Lines may be empty.
///
///     var offset = 0
///     while let part = framer.next(in: chunk, from: &offset) { … }
package struct LineFramer: Sendable {
    /// Some bytes of the chunk, and what to do with them.
    package enum Part: Hashable, Sendable {
        /// A line has ended: it is what was kept of it so far, and these bytes.
        case line(Range<Int>)
        /// A line goes on in the next chunk: keep these bytes.
        case fragment(Range<Int>)
        /// A line has grown over the limit and goes on: pass these bytes by.
        ///
        /// What was kept of the line stands before them; it can be dropped, once an ``OversizeScanner`` has seen it.
        case overflow(Range<Int>)
        /// A line over the limit has ended with these bytes; what holds for `overflow` holds here.
        case overflowEnd(Range<Int>)
    }

    /// How the stream ended.
    package enum Ending: Hashable, Sendable {
        /// After a line feed, or before any byte.
        case betweenLines
        /// Within a line, which its owner has kept.
        case withinLine
        /// Within a line over the limit.
        case withinOverflow
    }

    private let limit: Int
    /// Bytes of the current line in earlier chunks, at most `limit` unless `isOverLimit`.
    private var held = 0
    private var isOverLimit = false

    /// - Parameter limit: the longest line to keep, in bytes without the line feed.
    package init(limit: Int) {
        self.limit = limit
    }

    /// The next part of a chunk, from `offset` on, which is moved behind it; nil at the end of the chunk.
    package mutating func next(in chunk: Span<UInt8>, from offset: inout Int) -> Part? {
        guard offset < chunk.count else { return nil }
        let start = offset
        let newline = NewlineSearch.firstNewline(in: chunk, from: start)
        let end = newline ?? chunk.count
        isOverLimit = isOverLimit || end - start > limit - held
        let wasOverLimit = isOverLimit
        guard newline != nil else {
            offset = end
            if !wasOverLimit { held += end - start }
            return wasOverLimit ? .overflow(start..<end) : .fragment(start..<end)
        }
        offset = end + 1
        held = 0
        isOverLimit = false
        return wasOverLimit ? .overflowEnd(start..<end) : .line(start..<end)
    }

    /// Ends the stream, and makes the framer ready for another.
    package mutating func finish() -> Ending {
        defer { self = LineFramer(limit: limit) }
        if isOverLimit { return .withinOverflow }
        return held > 0 ? .withinLine : .betweenLines
    }
}
