// SPDX-License-Identifier: Apache-2.0

extension JSONString {
    /// How long a string is once it is read, and where it can be cut.
    package struct Cut: Hashable, Sendable {
        /// The bytes of the whole text, unescaped, in UTF-8.
        package var size: Int
        /// The bytes of the text before the cut.
        package var kept: Int
        /// Where in the message the contents have to end; their own end where nothing has to be cut.
        package var end: Int
    }

    /// Measures contents and finds the last character that ends within the limit, never inside an escape.
    ///
    /// A character is a Unicode scalar here. Half a surrogate pair counts as U+FFFD, which a reader makes of it.
    ///
    /// - Returns: nil when an escape is malformed.
    package static func cut(_ bytes: Span<UInt8>, contents: Range<Int>, limit: Int) -> Cut? {
        var cut = Cut(size: 0, kept: 0, end: contents.lowerBound)
        let text = bytes.extracting(0..<contents.upperBound)
        var at = contents.lowerBound
        while at < contents.upperBound {
            let plainEnd = ByteSearch.quoteOrBackslash(in: text, from: at)
            cut.take(plain: at..<plainEnd, of: text, limit: limit)
            at = plainEnd
            guard at < contents.upperBound else { break }
            var reader = Reader(at: at, end: contents.upperBound)
            let length: Int
            switch reader.next(text) {
            case .byte: length = 1
            case .scalar(let scalar): length = UTF8.width(scalar)
            case .malformed, nil: return nil
            }
            at = reader.at
            cut.take(length, endingAt: at, limit: limit)
        }
        return cut
    }
}

extension JSONString.Cut {
    /// Whether everything so far was kept, so that more may be.
    private var isWhole: Bool { kept == size }

    fileprivate mutating func take(_ length: Int, endingAt place: Int, limit: Int) {
        if isWhole, kept + length <= limit {
            kept += length
            end = place
        }
        size += length
    }

    fileprivate mutating func take(plain range: Range<Int>, of text: Span<UInt8>, limit: Int) {
        guard isWhole, range.count > limit - kept else {
            return take(range.count, endingAt: range.upperBound, limit: limit)
        }
        var place = range.lowerBound + max(0, limit - kept)
        // A byte that goes on with a character is not the place to end the one before.
        while place > range.lowerBound, text[place] & 0xC0 == 0x80 { place -= 1 }
        kept += place - range.lowerBound
        end = place
        size += range.count
    }
}
