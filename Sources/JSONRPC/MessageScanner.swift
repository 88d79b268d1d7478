// SPDX-License-Identifier: Apache-2.0

/// Finds the parts of a JSON-RPC message that a relay needs, in one pass that also proves the message to be JSON.
///
/// It builds no values and allocates nothing. A message that passes is strict RFC 8259 JSON in strict UTF-8, without a
/// byte order mark, and holds no ``Member`` twice. Member names are compared after unescaping. What the values are is
/// not checked: `id` may be of any form, `params` a string.
package enum MessageScanner {
    /// Scans one message, or one batch; batches are checked as JSON only.
    ///
    /// - Parameter maximumDepth: how many arrays and objects may stand inside each other; never more than 1024.
    package static func scan(_ bytes: Span<UInt8>, maximumDepth: Int = 512) throws(ScanError) -> Envelope {
        var scan = MessageScan(maximumDepth: maximumDepth)
        try scan.message(bytes)
        return scan.envelope
    }

    /// Scans a message that is held in an array.
    package static func scan(_ bytes: [UInt8], maximumDepth: Int = 512) throws(ScanError) -> Envelope {
        try scan(bytes.span, maximumDepth: maximumDepth)
    }

    /// Where the elements of a batch stand, to be scanned one by one through `Span.extracting`.
    package static func batchElements(
        of bytes: Span<UInt8>,
        maximumDepth: Int = 512
    ) throws(ScanError) -> [Range<Int>] {
        var walker = JSONWalker(maximumDepth: maximumDepth)
        walker.skipSpace(bytes)
        guard walker.at < bytes.count else { throw ScanError(.empty, at: 0) }
        guard bytes[walker.at] == .openBracket else { throw ScanError(.notABatch, at: walker.at) }
        guard walker.maximumDepth > 0 else { throw ScanError(.tooDeep(limit: walker.maximumDepth), at: walker.at) }
        walker.at += 1
        var elements: [Range<Int>] = []
        if try walker.nextToken(bytes) == .closeBracket {
            walker.at += 1
        } else {
            while true {
                walker.skipSpace(bytes)
                let start = walker.at
                try walker.value(bytes, depth: 1)
                elements.append(start..<walker.at)
                let token = try walker.nextToken(bytes)
                guard token == .comma || token == .closeBracket else { throw ScanError(.notJSON, at: walker.at) }
                walker.at += 1
                if token == .closeBracket { break }
            }
        }
        try walker.finish(bytes)
        return elements
    }
}
