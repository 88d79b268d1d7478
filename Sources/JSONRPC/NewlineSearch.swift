// SPDX-License-Identifier: Apache-2.0

/// Finds line ends in a chunk of a byte stream.
package enum NewlineSearch {
    /// The offset of the first line feed at or after `start`, or nil; `start` may be the count of the chunk.
    package static func firstNewline(in chunk: Span<UInt8>, from start: Int = 0) -> Int? {
        let found = ByteSearch.lineFeed(in: chunk, from: start)
        return found < chunk.count ? found : nil
    }
}
