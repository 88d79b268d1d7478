// SPDX-License-Identifier: Apache-2.0

/// What may stand behind a `=`.
extension TOMLFileParser {
    mutating func value(depth: Int) throws(Failure) -> PositionedJSON {
        skipSpace()
        guard depth < Self.maximumDepth else { throw failure("it is nested too deeply") }
        let offset = position
        switch next {
        case UInt8(ascii: "\""): return PositionedJSON(content: .string(try basicString()), offset: offset)
        case UInt8(ascii: "'"): return PositionedJSON(content: .string(try literalString()), offset: offset)
        case UInt8(ascii: "["): return PositionedJSON(content: .array(try elements(depth: depth)), offset: offset)
        case UInt8(ascii: "{"): return try inlineTable(depth: depth)
        default: return PositionedJSON(content: try scalar(), offset: offset)
        }
    }

    private mutating func elements(depth: Int) throws(Failure) -> [PositionedJSON] {
        position += 1
        var elements: [PositionedJSON] = []
        while true {
            skipBlank()
            if take("]") { return elements }
            elements.append(try value(depth: depth + 1))
            skipBlank()
            if take("]") { return elements }
            guard take(",") else { throw failure("',' or ']' is expected") }
        }
    }

    private mutating func inlineTable(depth: Int) throws(Failure) -> PositionedJSON {
        let table = Table(offset: position)
        position += 1
        while true {
            skipBlank()
            if take("}") { return table.value }
            try assignment(in: table, depth: depth + 1)
            skipBlank()
            if take("}") { return table.value }
            guard take(",") else { throw failure("',' or '}' is expected") }
        }
    }

    /// A boolean, a number, or a date.
    private mutating func scalar() throws(Failure) -> PositionedJSON.Content {
        let start = position
        var text = token()
        // The time of a date may stand behind a space (RFC 3339 section 5.6).
        if Self.isDate(text), next == 0x20, let digit = bytes.dropFirst(position + 1).first,
            (0x30...0x39).contains(digit)
        {
            position += 1
            text += " " + token()
        }
        if text == "true" || text == "false" { return .boolean(text == "true") }
        if Self.isDate(String(text.prefix(10))) || Self.isTime(text) { return .string(text) }
        if let number = Self.number(text) { return .number(number) }
        position = start
        throw failure("a value is expected")
    }

    private mutating func token() -> String {
        let start = position
        while let byte = next, byte > 0x20, !",]}#=".utf8.contains(byte) { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func isDate(_ text: String) -> Bool {
        text.wholeMatch(of: /[0-9]{4}-[0-9]{2}-[0-9]{2}/) != nil
    }

    private static func isTime(_ text: String) -> Bool {
        text.wholeMatch(of: /[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?/) != nil
    }

    /// A number as JSON writes it, where it can.
    private static func number(_ text: String) -> String? {
        let digits = text.replacing("_", with: "")
        guard text.wholeMatch(of: /[0-9a-zA-Z+\-.]+(_[0-9a-zA-Z.]+)*/) != nil else { return nil }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            return Int(digits.dropFirst(2), radix: radix).map(String.init)
        }
        let plain = digits.hasPrefix("+") ? String(digits.dropFirst()) : digits
        guard plain.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+\-]?[0-9]+)?/) != nil else { return nil }
        return plain
    }

    // MARK: Strings

    /// A string in double quotes, of one line or, in three of them, of several.
    mutating func basicString() throws(Failure) -> String {
        if word("\"\"\"") { return try longString(quote: "\"", escapes: true) }
        position += 1
        var decoded: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: decoded, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &decoded)
            case 0x0A, 0x0D: throw failure("a string has no end on its line")
            default: append(byte, to: &decoded)
            }
        }
        throw failure("")
    }

    /// A string in single quotes, in which a backslash is a backslash.
    mutating func literalString() throws(Failure) -> String {
        if word("'''") { return try longString(quote: "'", escapes: false) }
        position += 1
        let start = position
        while let byte = next, byte != UInt8(ascii: "'") {
            guard byte != 0x0A, byte != 0x0D else { throw failure("a string has no end on its line") }
            position += 1
        }
        guard next != nil else { throw failure("") }
        defer { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func longString(quote: Character, escapes: Bool) throws(Failure) -> String {
        // A line end directly behind the opening is not part of the string.
        if !word("\r\n") { _ = word("\n") }
        let closing = String(repeating: quote, count: 3)
        var decoded: [UInt8] = []
        while let byte = next {
            if word(closing) {
                // Up to two quotes may stand before the closing ones.
                for _ in 0..<2 where take(quote) { decoded.append(byte) }
                return String(decoding: decoded, as: UTF8.self)
            }
            if escapes, byte == UInt8(ascii: "\\") {
                try escape(into: &decoded, joinsLines: true)
            } else {
                append(byte, to: &decoded)
            }
        }
        throw failure("")
    }

    private mutating func append(_ byte: UInt8, to decoded: inout [UInt8]) {
        decoded.append(byte)
        position += 1
    }

    /// - Parameter joinsLines: whether a backslash before a line end removes it and the space that follows.
    private mutating func escape(into decoded: inout [UInt8], joinsLines: Bool = false) throws(Failure) {
        position += 1
        guard let letter = next else { throw failure("") }
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "b"): 0x08, UInt8(ascii: "t"): 0x09,
            UInt8(ascii: "n"): 0x0A, UInt8(ascii: "f"): 0x0C, UInt8(ascii: "r"): 0x0D,
        ]
        if let byte = simple[letter] {
            decoded.append(byte)
            position += 1
        } else if take("u") {
            decoded += try scalar(digits: 4)
        } else if take("U") {
            decoded += try scalar(digits: 8)
        } else if joinsLines, letter == 0x0A || letter == 0x0D || letter == 0x20 || letter == 0x09 {
            while let byte = next, byte == 0x0A || byte == 0x0D || byte == 0x20 || byte == 0x09 { position += 1 }
        } else {
            throw failure("an escape is not one of TOML's")
        }
    }

    private mutating func scalar(digits: Int) throws(Failure) -> [UInt8] {
        let text = String(decoding: bytes[position..<min(position + digits, bytes.count)], as: UTF8.self)
        guard text.count == digits, text.allSatisfy(\.isHexDigit), let code = UInt32(text, radix: 16),
            let scalar = Unicode.Scalar(code)
        else { throw failure("\(digits) hexadecimal digits of a character are expected") }
        position += digits
        return Array(String(Character(scalar)).utf8)
    }
}
