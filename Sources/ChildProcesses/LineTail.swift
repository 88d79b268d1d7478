// SPDX-License-Identifier: Apache-2.0

/// Keeps the last lines of a stream, bounded in lines and in bytes.
///
/// The upper layer also uses it for what a child writes to its standard output that is no message.
package struct LineTail: Sendable {
    package let lineLimit: Int
    /// In bytes of UTF-8, over all lines.
    package let byteLimit: Int
    /// Oldest first.
    private var kept: [String] = []
    private var byteCount = 0

    package init(lines: Int = 64, bytes: Int = 16 * 1024) {
        lineLimit = lines
        byteLimit = bytes
    }

    /// Oldest first.
    package var lines: [String] { kept }

    /// Adds a line and drops the oldest ones that no longer fit. A line over the byte limit keeps its start.
    package mutating func append(_ line: String) {
        let line = line.utf8.count <= byteLimit ? line : Self.start(of: line, bytes: byteLimit)
        kept.append(line)
        byteCount += line.utf8.count
        var surplus = 0
        while kept.count - surplus > lineLimit || byteCount > byteLimit {
            byteCount -= kept[surplus].utf8.count
            surplus += 1
        }
        kept.removeFirst(surplus)
    }

    private static func start(of line: String, bytes: Int) -> String {
        var end = line.utf8.index(line.startIndex, offsetBy: bytes)
        while end.samePosition(in: line.unicodeScalars) == nil { end = line.utf8.index(before: end) }
        return String(line[..<end])
    }
}
