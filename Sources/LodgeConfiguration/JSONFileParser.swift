// SPDX-License-Identifier: Apache-2.0

/// Parses a whole JSON file and says exactly where it is wrong.
///
/// Strict RFC 8259, a byte order mark allowed, unless comments are: then `//` and `/* */` count as space and a comma may
/// stand behind the last element. Nesting is limited, so that a hostile file cannot exhaust the stack.
struct JSONFileParser {
    struct Failure: Error {
        var reason: String
        var offset: Int
    }

    static let maximumDepth = 128

    private let bytes: [UInt8]
    private let allowsComments: Bool
    private var position = 0

    static func parse(_ bytes: [UInt8], allowsComments: Bool = false) throws(Failure) -> PositionedJSON {
        var parser = JSONFileParser(bytes: bytes, allowsComments: allowsComments)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.position == bytes.count else { throw parser.failure("something follows the end of the value") }
        return value
    }

    private init(bytes: [UInt8], allowsComments: Bool) {
        self.bytes = bytes
        self.allowsComments = allowsComments
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func failure(_ reason: String) -> Failure {
        Failure(reason: position < bytes.count ? reason : "the file ends too early", offset: position)
    }

    private mutating func skipSpace() {
        while true {
            while let byte = next, byte == 0x20 || (0x09...0x0A).contains(byte) || byte == 0x0D { position += 1 }
            guard allowsComments, skipComment() else { return }
        }
    }

    /// Skips one comment; one without its end lasts to the end of the file.
    private mutating func skipComment() -> Bool {
        if word("//") {
            while let byte = next, byte != UInt8(ascii: "\n") { position += 1 }
            return true
        }
        guard word("/*") else { return false }
        while next != nil, !word("*/") { position += 1 }
        return true
    }

    private mutating func take(_ character: Character) -> Bool {
        guard next == character.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Failure) -> PositionedJSON {
        skipSpace()
        guard depth < Self.maximumDepth else { throw failure("it is nested too deeply") }
        let offset = position
        let content: PositionedJSON.Content
        switch next {
        case UInt8(ascii: "{"): content = .object(try members(depth: depth))
        case UInt8(ascii: "["): content = .array(try elements(depth: depth))
        case UInt8(ascii: "\""): content = .string(try string())
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): content = .number(try number())
        default:
            if word("true") {
                content = .boolean(true)
            } else if word("false") {
                content = .boolean(false)
            } else if word("null") {
                content = .null
            } else {
                throw failure("a value is expected")
            }
        }
        return PositionedJSON(content: content, offset: offset)
    }

    private mutating func word(_ word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    private mutating func members(depth: Int) throws(Failure) -> [PositionedJSON.Member] {
        position += 1
        var members: [PositionedJSON.Member] = []
        skipSpace()
        if take("}") { return members }
        while true {
            skipSpace()
            let offset = position
            guard next == UInt8(ascii: "\"") else { throw failure("a name in double quotes is expected") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw failure("':' is expected") }
            members.append(.init(key: key, offset: offset, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return members }
            guard take(",") else { throw failure("',' or '}' is expected") }
            skipSpace()
            if allowsComments, take("}") { return members }
        }
    }

    private mutating func elements(depth: Int) throws(Failure) -> [PositionedJSON] {
        position += 1
        var elements: [PositionedJSON] = []
        skipSpace()
        if take("]") { return elements }
        while true {
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return elements }
            guard take(",") else { throw failure("',' or ']' is expected") }
            skipSpace()
            if allowsComments, take("]") { return elements }
        }
    }

    private mutating func number() throws(Failure) -> String {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func digits() throws(Failure) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        guard position > start else { throw failure("a digit is expected") }
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        let start = position
        var decoded: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                guard let text = String(validating: decoded, as: UTF8.self) else {
                    position = start
                    throw failure("a string is not valid UTF-8")
                }
                return text
            case UInt8(ascii: "\\"):
                position += 1
                try escape(into: &decoded)
            case ..<0x20: throw failure("a string holds a control character that is not escaped")
            default:
                decoded.append(byte)
                position += 1
            }
        }
        throw failure("")
    }

    private mutating func escape(into decoded: inout [UInt8]) throws(Failure) {
        let simple: [UInt8: UInt8] = [
            UInt8(ascii: "\""): 0x22, UInt8(ascii: "\\"): 0x5C, UInt8(ascii: "/"): 0x2F, UInt8(ascii: "b"): 0x08,
            UInt8(ascii: "f"): 0x0C, UInt8(ascii: "n"): 0x0A, UInt8(ascii: "r"): 0x0D, UInt8(ascii: "t"): 0x09,
        ]
        guard let letter = next else { throw failure("") }
        if let byte = simple[letter] {
            decoded.append(byte)
            position += 1
            return
        }
        guard take("u") else { throw failure("an escape is not one of JSON's") }
        var code = try hexadecimalUnit()
        if (0xD800...0xDBFF).contains(code), word("\\u") {
            let low = try hexadecimalUnit()
            guard (0xDC00...0xDFFF).contains(low) else { throw failure("half a surrogate pair is missing") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw failure("half a surrogate pair is missing") }
        decoded += Array(String(Character(scalar)).utf8)
    }

    private mutating func hexadecimalUnit() throws(Failure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("four hexadecimal digits are expected")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }
}
