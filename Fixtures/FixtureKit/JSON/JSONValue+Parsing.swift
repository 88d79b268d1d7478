// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Why bytes are not JSON.
package struct JSONParsingError: Error, Hashable, CustomStringConvertible {
    package var reason: String
    /// Offset of the byte that did not fit.
    package var offset: Int

    package var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
    /// Parses one JSON text (RFC 8259) and nothing beside it but white space.
    ///
    /// Strings must be valid UTF-8; lone surrogates in escapes become U+FFFD. Nesting beyond 512 levels is refused.
    package init(parsing bytes: [UInt8]) throws(JSONParsingError) {
        var parser = JSONParser(bytes: bytes)
        self = try parser.document()
    }

    /// Parses the UTF-8 of a string.
    package init(parsing text: String) throws(JSONParsingError) {
        try self.init(parsing: Array(text.utf8))
    }
}

/// A recursive descent over the bytes of one JSON text.
private struct JSONParser {
    static let maximumDepth = 512

    let bytes: [UInt8]
    var at = 0
    var depth = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONParsingError) -> JSONValue {
        let value = try value()
        skipSpace()
        guard at == bytes.count else { throw failure("more than one value") }
        return value
    }

    func failure(_ reason: String) -> JSONParsingError { JSONParsingError(reason: reason, offset: at) }

    mutating func skipSpace() {
        while at < bytes.count {
            let byte = bytes[at]
            guard byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D else { return }
            at += 1
        }
    }

    mutating func value() throws(JSONParsingError) -> JSONValue {
        skipSpace()
        guard at < bytes.count else { throw failure("a value is missing") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try nested { parser throws(JSONParsingError) in try parser.object() }
        case UInt8(ascii: "["): return try nested { parser throws(JSONParsingError) in try parser.array() }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    mutating func nested(
        _ body: (inout JSONParser) throws(JSONParsingError) -> JSONValue
    ) throws(JSONParsingError) -> JSONValue {
        depth += 1
        guard depth <= Self.maximumDepth else { throw failure("nested more than \(Self.maximumDepth) levels") }
        defer { depth -= 1 }
        at += 1
        return try body(&self)
    }

    mutating func object() throws(JSONParsingError) -> JSONValue {
        var members: [JSONValue.Member] = []
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw failure("a member needs a name") }
            let name = try string()
            guard take(":") else { throw failure("a colon is missing") }
            members.append(JSONValue.Member(name, try value()))
        } while take(",")
        guard take("}") else { throw failure("an object is not closed") }
        return .object(members)
    }

    mutating func array() throws(JSONParsingError) -> JSONValue {
        var elements: [JSONValue] = []
        if take("]") { return .array([]) }
        repeat { elements.append(try value()) } while take(",")
        guard take("]") else { throw failure("an array is not closed") }
        return .array(elements)
    }

    /// Skips white space and then one punctuation mark, if it is there.
    mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard at < bytes.count, bytes[at] == UInt8(ascii: mark) else { return false }
        at += 1
        return true
    }

    mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONParsingError) -> JSONValue {
        let text = Array(word.description.utf8)
        guard bytes[at...].starts(with: text) else { throw failure("an unknown word") }
        at += text.count
        return value
    }

    mutating func number() throws(JSONParsingError) -> JSONValue {
        let start = at
        if peek() == UInt8(ascii: "-") { at += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[at - whole] != UInt8(ascii: "0") else { throw failure("not a number") }
        if peek() == UInt8(ascii: ".") {
            at += 1
            guard digits() > 0 else { throw failure("not a number") }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            at += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { throw failure("not a number") }
        }
        return .number(String(decoding: bytes[start..<at], as: UTF8.self))
    }

    func peek() -> UInt8? { at < bytes.count ? bytes[at] : nil }

    /// Skips digits and answers how many there were.
    mutating func digits() -> Int {
        let start = at
        while let byte = peek(), byte >= 0x30, byte <= 0x39 { at += 1 }
        return at - start
    }

    mutating func string() throws(JSONParsingError) -> String {
        at += 1
        var pieces = ""
        while true {
            // A line can be 100 MB long, so plain stretches are found by the C library and not byte by byte.
            let quote = bytes.firstIndex(of: UInt8(ascii: "\""), from: at)
            guard let quote else { throw failure("a string is not closed") }
            let backslash = bytes.firstIndex(of: UInt8(ascii: "\\"), from: at, to: quote)
            let end = backslash ?? quote
            guard let plain = String(validating: bytes[at..<end], as: UTF8.self) else {
                throw failure("a string is not UTF-8")
            }
            pieces += plain
            at = end + 1
            guard backslash != nil else { return pieces }
            pieces.unicodeScalars.append(try escape())
        }
    }

    mutating func escape() throws(JSONParsingError) -> Unicode.Scalar {
        guard at < bytes.count else { throw failure("a string is not closed") }
        let letter = bytes[at]
        at += 1
        switch letter {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("an unknown escape")
        }
    }

    mutating func unicodeEscape() throws(JSONParsingError) -> Unicode.Scalar {
        let first = try hexUnit()
        guard UTF16.isLeadSurrogate(first) else { return Unicode.Scalar(first) ?? "\u{FFFD}" }
        guard bytes[at...].starts(with: Array("\\u".utf8)) else { return "\u{FFFD}" }
        at += 2
        let second = try hexUnit()
        guard UTF16.isTrailSurrogate(second) else { return "\u{FFFD}" }
        let joined = 0x10000 + (UInt32(first) - 0xD800) << 10 + (UInt32(second) - 0xDC00)
        return Unicode.Scalar(joined) ?? "\u{FFFD}"
    }

    mutating func hexUnit() throws(JSONParsingError) -> UInt16 {
        guard at + 4 <= bytes.count else { throw failure("a string is not closed") }
        let digits = String(decoding: bytes[at..<at + 4], as: UTF8.self)
        guard let unit = UInt16(digits, radix: 16), !digits.hasPrefix("+"), !digits.hasPrefix("-") else {
            throw failure("an unknown escape")
        }
        at += 4
        return unit
    }
}
