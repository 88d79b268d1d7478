// SPDX-License-Identifier: Apache-2.0

/// Reads and writes JSON strings (RFC 8259 section 7).
///
/// A *raw* range includes the quotes, *contents* are what stands between them. The bytes need not have been scanned:
/// what is no JSON string answers nil or false. Ranges must lie within the span.
package enum JSONString {
    /// What stands between the quotes of a raw value, or nil when the value is no string.
    package static func contents(of raw: Range<Int>, in bytes: Span<UInt8>) -> Range<Int>? {
        guard raw.count >= 2, bytes[raw.lowerBound] == .quote, bytes[raw.upperBound - 1] == .quote else { return nil }
        return raw.lowerBound + 1..<raw.upperBound - 1
    }

    /// The text of a raw value, or nil when it is no string; a lone surrogate escape becomes U+FFFD.
    package static func decode(_ bytes: Span<UInt8>, _ raw: Range<Int>) -> String? {
        guard let contents = contents(of: raw, in: bytes) else { return nil }
        return decode(bytes, contents: contents)
    }

    /// The text of what stands between two quotes, or nil when an escape in it is malformed.
    package static func decode(_ bytes: Span<UInt8>, contents: Range<Int>) -> String? {
        guard hasEscapes(bytes, contents) else {
            // The buffer is read before the closure ends.
            return unsafe bytes.extracting(contents).withUnsafeBufferPointer {
                unsafe String(decoding: $0, as: UTF8.self)
            }
        }
        var text: [UInt8] = []
        text.reserveCapacity(contents.count)
        var reader = Reader(at: contents.lowerBound, end: contents.upperBound)
        while let unit = reader.next(bytes) {
            switch unit {
            case .byte(let byte): text.append(byte)
            case .scalar(let scalar): text.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            case .malformed: return nil
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Whether contents, unescaped, are an ASCII name; nothing is allocated.
    package static func equals(_ bytes: Span<UInt8>, contents: Range<Int>, _ name: StaticString) -> Bool {
        guard hasEscapes(bytes, contents) else { return equalsAsWritten(bytes, contents: contents, name) }
        var reader = Reader(at: contents.lowerBound, end: contents.upperBound)
        var index = 0
        while let unit = reader.next(bytes) {
            // The index is below the name's own count.
            guard index < name.utf8CodeUnitCount, unsafe unit.isByte(name.utf8Start[index]) else { return false }
            index += 1
        }
        return index == name.utf8CodeUnitCount
    }

    /// Whether contents, unescaped, are the same Unicode scalars as `text`; without escapes nothing is allocated.
    package static func equals(_ bytes: Span<UInt8>, contents: Range<Int>, _ text: String) -> Bool {
        guard !hasEscapes(bytes, contents) else {
            return decode(bytes, contents: contents).map { $0.utf8.elementsEqual(text.utf8) } ?? false
        }
        guard contents.count == text.utf8.count else { return false }
        var place = contents.lowerBound
        for byte in text.utf8 {
            guard bytes[place] == byte else { return false }
            place += 1
        }
        return true
    }

    /// Whether contents without escapes are an ASCII name.
    @inline(__always)
    static func equalsAsWritten(_ bytes: Span<UInt8>, contents: Range<Int>, _ name: StaticString) -> Bool {
        guard contents.count == name.utf8CodeUnitCount else { return false }
        for index in 0..<name.utf8CodeUnitCount {
            // The index is below the name's own count.
            guard unsafe bytes[contents.lowerBound + index] == name.utf8Start[index] else { return false }
        }
        return true
    }

    private static func hasEscapes(_ bytes: Span<UInt8>, _ contents: Range<Int>) -> Bool {
        for place in contents where bytes[place] == .backslash { return true }
        return false
    }

    /// Appends a text with quotes around it, escaping only what RFC 8259 demands.
    package static func encode(_ text: String, into bytes: inout [UInt8]) {
        bytes.append(.quote)
        for byte in text.utf8 {
            switch byte {
            case .quote, .backslash: bytes.append(contentsOf: [.backslash, byte])
            case .lineFeed: bytes.append(contentsOf: "\\n".utf8)
            case .carriageReturn: bytes.append(contentsOf: "\\r".utf8)
            case .tab: bytes.append(contentsOf: "\\t".utf8)
            case 0x00...0x1F:
                bytes.append(contentsOf: byte < 0x10 ? "\\u000".utf8 : "\\u001".utf8)
                let digit = byte & 0x0F
                bytes.append(digit < 10 ? .zero + digit : 0x57 + digit)
            default: bytes.append(byte)
            }
        }
        bytes.append(.quote)
    }
}
