// SPDX-License-Identifier: Apache-2.0

extension LineSplitter.Line {
    /// What stands at the end of a line that was cut.
    static let cutMark = " … (line cut)"

    /// The line as text; bytes that are not UTF-8 become U+FFFD.
    var text: String {
        guard isCut else { return String(decoding: bytes, as: UTF8.self) }
        // A character that the cut itself split is dropped rather than shown as damage.
        return String(decoding: bytes.dropLast(Self.splitTail(bytes)), as: UTF8.self) + Self.cutMark
    }

    /// The length of an unfinished UTF-8 sequence at the end (RFC 3629 section 3).
    private static func splitTail(_ bytes: [UInt8]) -> Int {
        for length in 1...3 where length <= bytes.count {
            let byte = bytes[bytes.count - length]
            if byte & 0b1100_0000 == 0b1000_0000 { continue }
            let expected = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return expected > length ? length : 0
        }
        return 0
    }
}
