// SPDX-License-Identifier: Apache-2.0

/// Reads a member name as a decoder that ignores case does, byte by byte; the name holds no escapes.
struct CaseFolding {
    private var at: Int
    private let end: Int

    init(_ contents: Range<Int>) {
        at = contents.lowerBound
        end = contents.upperBound
    }

    var isAtEnd: Bool { at == end }

    /// The next byte, folded; nil at the end and where no ASCII name can go on.
    mutating func next(_ bytes: Span<UInt8>) -> UInt8? {
        guard at < end else { return nil }
        let byte = bytes[at]
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            at += 1
            return byte | 0x20
        case ..<0x80:
            at += 1
            return byte
        // U+017F and U+212A, the two letters beyond ASCII that fold to one within it (Unicode, CaseFolding.txt).
        case 0xC5 where at + 1 < end && bytes[at + 1] == 0xBF:
            at += 2
            return UInt8(ascii: "s")
        case 0xE2 where at + 2 < end && bytes[at + 1] == 0x84 && bytes[at + 2] == 0xAA:
            at += 3
            return UInt8(ascii: "k")
        default: return nil
        }
    }
}

extension JSONString {
    /// Whether contents, unescaped and folded, are an ASCII name in lower case.
    static func isVariant(_ bytes: Span<UInt8>, contents: Range<Int>, of name: StaticString) -> Bool {
        guard let text = decode(bytes, contents: contents) else { return false }
        return isVariant(text, of: name.description)
    }

    /// Whether a text, folded, is an ASCII name in lower case.
    static func isVariant(_ text: String, of name: String) -> Bool {
        let bytes = Array(text.utf8)
        var folded = CaseFolding(0..<bytes.count)
        for byte in name.utf8 {
            guard folded.next(bytes.span) == byte else { return false }
        }
        return folded.isAtEnd
    }
}
