// SPDX-License-Identifier: Apache-2.0

/// Compares header names and values, which are ASCII and mostly without regard to case, without making strings.
enum ASCIIText {
    /// Whether a text is the same as one that is written in lower case.
    @inline(__always)
    static func equals(_ text: some Collection<UInt8>, lowercase name: StaticString) -> Bool {
        guard text.count == name.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in text {
            // The index stays below the name's own count, because the counts are equal.
            guard unsafe lowercased(byte) == name.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }

    static func equals(_ left: some Sequence<UInt8>, ignoringCaseOf right: some Sequence<UInt8>) -> Bool {
        left.elementsEqual(right) { lowercased($0) == lowercased($1) }
    }

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }

    /// Takes white space off both ends (RFC 9110 section 5.6.3).
    static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        var text = text
        while let first = text.first, isSpace(first) { text = text.dropFirst() }
        while let last = text.last, isSpace(last) { text = text.dropLast() }
        return text
    }

    /// The text itself where there is nothing to take off, as nearly always.
    static func trimmed(_ text: String) -> String {
        guard let first = text.utf8.first, let last = text.utf8.last, isSpace(first) || isSpace(last) else {
            return text
        }
        return String(Substring(trimmed(text[...].utf8)))
    }

    /// Whether a byte may stand in a token (RFC 9110 section 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
