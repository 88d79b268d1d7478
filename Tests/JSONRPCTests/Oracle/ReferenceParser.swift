// SPDX-License-Identifier: Apache-2.0

/// A second, independent reading of RFC 8259, written to be obvious and not to be fast.
///
/// It shares no code with the scanner. It recurses, keeps everything, and leaves UTF-8 to the standard library.
package struct ReferenceParser {
    package struct Node {
        package indirect enum Form {
            case object([(key: [UInt16], value: Node)])
            case array([Node])
            case string([UInt16])
            case number, boolean, null
        }

        package var form: Form
        package var range: Range<Int>
    }

    private struct Refused: Error {}

    private let bytes: [UInt8]
    private let maximumDepth: Int
    private var at = 0

    /// The value that `bytes` are, or nil if they are not exactly one JSON value in UTF-8.
    package static func parse(_ bytes: [UInt8], maximumDepth: Int = 512) -> Node? {
        guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
        var parser = ReferenceParser(bytes: bytes, maximumDepth: maximumDepth)
        parser.space()
        guard let node = try? parser.value(depth: 1) else { return nil }
        parser.space()
        return parser.at == bytes.count ? node : nil
    }

    private init(bytes: [UInt8], maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    private var current: Character? {
        at < bytes.count ? Character(Unicode.Scalar(bytes[at])) : nil
    }

    private mutating func space() {
        while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Character) throws {
        guard current == character else { throw Refused() }
        at += 1
    }

    private mutating func value(depth: Int) throws -> Node {
        let start = at
        let form: Node.Form
        switch current {
        case "{": form = try object(depth: depth)
        case "[": form = try array(depth: depth)
        case "\"": form = .string(try string())
        case "t": form = try word("true", .boolean)
        case "f": form = try word("false", .boolean)
        case "n": form = try word("null", .null)
        default: form = try number()
        }
        return Node(form: form, range: start..<at)
    }

    private mutating func word(_ text: String, _ form: Node.Form) throws -> Node.Form {
        for character in text { try take(character) }
        return form
    }

    private mutating func object(depth: Int) throws -> Node.Form {
        guard depth <= maximumDepth else { throw Refused() }
        try take("{")
        space()
        var members: [(key: [UInt16], value: Node)] = []
        if current != "}" {
            while true {
                space()
                let key = try string()
                space()
                try take(":")
                space()
                members.append((key, try value(depth: depth + 1)))
                space()
                if current != "," { break }
                try take(",")
            }
        }
        try take("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws -> Node.Form {
        guard depth <= maximumDepth else { throw Refused() }
        try take("[")
        space()
        var elements: [Node] = []
        if current != "]" {
            while true {
                space()
                elements.append(try value(depth: depth + 1))
                space()
                if current != "," { break }
                try take(",")
            }
        }
        try take("]")
        return .array(elements)
    }

    private mutating func string() throws -> [UInt16] {
        try take("\"")
        var units: [UInt16] = []
        var plain: [UInt8] = []
        while current != "\"" {
            guard at < bytes.count, bytes[at] >= 0x20 else { throw Refused() }
            if current != "\\" {
                plain.append(bytes[at])
                at += 1
                continue
            }
            units += String(decoding: plain, as: UTF8.self).utf16
            plain = []
            at += 1
            units.append(try escape())
        }
        units += String(decoding: plain, as: UTF8.self).utf16
        at += 1
        return units
    }

    private mutating func escape() throws -> UInt16 {
        let letter = current
        at += 1
        if letter == "u" {
            guard at + 4 <= bytes.count else { throw Refused() }
            let digits = String(decoding: bytes[at..<at + 4], as: UTF8.self)
            guard digits.allSatisfy({ $0.isASCII && $0.isHexDigit }), let unit = UInt16(digits, radix: 16) else {
                throw Refused()
            }
            at += 4
            return unit
        }
        let meanings: [Character: UInt16] = [
            "\"": 0x22, "\\": 0x5C, "/": 0x2F, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9,
        ]
        guard let letter, let unit = meanings[letter] else { throw Refused() }
        return unit
    }

    private mutating func number() throws -> Node.Form {
        if current == "-" { at += 1 }
        if current == "0" { at += 1 } else { try digits() }
        if current == "." {
            at += 1
            try digits()
        }
        if current == "e" || current == "E" {
            at += 1
            if current == "+" || current == "-" { at += 1 }
            try digits()
        }
        return .number
    }

    private mutating func digits() throws {
        let start = at
        while let character = current, ("0"..."9").contains(character) { at += 1 }
        guard at > start else { throw Refused() }
    }
}
