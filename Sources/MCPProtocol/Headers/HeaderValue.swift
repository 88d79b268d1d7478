// SPDX-License-Identifier: Apache-2.0

/// The values of `Mcp-Name` and `Mcp-Param-*`: text that a header can carry, or base64 of its UTF-8 between marks
/// (2026-07-28, basic/transports/streamable-http, Value Encoding).
package enum HeaderValue {
    private static let prefix = "=?base64?"
    private static let suffix = "?="

    /// The value that carries this text: the text itself where it is printable ASCII without white space at an end, and
    /// could not be taken for an encoded one.
    package static func encode(_ text: String) -> String {
        let bytes = text.utf8
        let isPlain =
            bytes.allSatisfy { (0x20...0x7E).contains($0) } && bytes.first != 0x20 && bytes.last != 0x20
            && !(text.hasPrefix(prefix) && text.hasSuffix(suffix))
        return isPlain ? text : prefix + Base64.encode(Array(bytes)) + suffix
    }

    /// The text that a value carries; nil where the value holds a byte that no header can, or is marked as encoded and is
    /// not canonical base64 of UTF-8.
    ///
    /// White space around it is not part of a value (RFC 9110 section 5.5). The marks are case-sensitive.
    package static func decode(_ value: String) -> String? {
        var bytes = value.utf8[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        guard bytes.allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0x09 }) else { return nil }
        guard bytes.count >= prefix.utf8.count + suffix.utf8.count, bytes.starts(with: prefix.utf8),
            bytes.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
        else { return String(Substring(bytes)) }
        let payload = bytes.dropFirst(prefix.utf8.count).dropLast(suffix.utf8.count)
        return Base64.decode(Array(payload)).flatMap { String(validating: $0, as: UTF8.self) }
    }
}

/// Base64 with padding (RFC 4648 section 4).
private enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for byte in part { bits = bits << 8 | UInt32(byte) }
            bits <<= 8 * UInt32(3 - part.count)
            for place in 0..<4 {
                let digit = alphabet[Int(bits >> UInt32(18 - 6 * place) & 63)]
                text.append(place <= part.count ? digit : padding)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Answers nil for what ``encode(_:)`` would not have written.
    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count.isMultiple(of: 4) else { return nil }
        let digits = text.dropLast(text.suffix(2).reversed().prefix { $0 == padding }.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in digits {
            guard let value = value(of: digit) else { return nil }
            bits = (bits << 6 | value) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        // Bits that are left over say nothing, and have to be zero.
        guard count < 6, bits & (1 << UInt32(count) - 1) == 0 else { return nil }
        return bytes
    }

    private static func value(of digit: UInt8) -> UInt32? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(digit - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(digit - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(digit - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
