// SPDX-License-Identifier: Apache-2.0

/// Parses a whole TOML file (TOML 1.0.0) into the values that a JSON file gives, and says exactly where it is wrong.
///
/// It is for files of settings that Lodge only looks into, so every value knows its place and members keep their order.
/// It refuses what has two meanings, such as a key that is given twice, and takes some of what the standard forbids, such
/// as line breaks in an inline table. Dates come out as strings, as they are written. Nesting is limited as in JSON.
struct TOMLFileParser {
    typealias Failure = JSONFileParser.Failure

    /// One part of a dotted key.
    struct Key {
        var text: String
        var offset: Int
    }

    /// A table while its members come together from several places of the file.
    final class Table {
        enum Node {
            case value(PositionedJSON)
            case table(Table)
            /// `[[name]]`, one table for each time.
            case tables([Table])
        }

        struct Member {
            var key: Key
            var node: Node
        }

        let offset: Int
        /// Whether a header named it, which may happen once.
        var hasHeader = false
        var members: [Member] = []

        init(offset: Int) { self.offset = offset }

        func index(of key: Key) -> Int? { members.firstIndex { $0.key.text == key.text } }

        var value: PositionedJSON {
            let members = members.map { member in
                let value: PositionedJSON
                switch member.node {
                case .value(let written): value = written
                case .table(let table): value = table.value
                case .tables(let tables):
                    value = PositionedJSON(content: .array(tables.map(\.value)), offset: member.key.offset)
                }
                return PositionedJSON.Member(key: member.key.text, offset: member.key.offset, value: value)
            }
            return PositionedJSON(content: .object(members), offset: offset)
        }
    }

    static let maximumDepth = JSONFileParser.maximumDepth

    let bytes: [UInt8]
    var position = 0

    static func parse(_ bytes: [UInt8]) throws(Failure) -> PositionedJSON {
        var parser = TOMLFileParser(bytes: bytes)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw parser.failure("it is not valid UTF-8") }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { parser.position = 3 }
        return try parser.document()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func document() throws(Failure) -> PositionedJSON {
        let root = Table(offset: position)
        var current = root
        skipBlank()
        while next != nil {
            if word("[[") {
                current = try openElement(of: try dottedKey(), in: root)
                guard word("]]") else { throw failure("']]' is expected") }
            } else if take("[") {
                current = try open(try dottedKey(), in: root)
                guard take("]") else { throw failure("']' is expected") }
            } else {
                try assignment(in: current, depth: 0)
            }
            skipSpace()
            guard next == nil || next == UInt8(ascii: "\n") || next == UInt8(ascii: "\r") || next == UInt8(ascii: "#")
            else { throw failure("the end of the line is expected") }
            skipBlank()
        }
        return root.value
    }

    // MARK: Tables

    /// The table of a header `[a.b]`.
    private func open(_ path: [Key], in root: Table) throws(Failure) -> Table {
        let table = try descend(path, from: root)
        guard !table.hasHeader else { throw twice(path.last) }
        table.hasHeader = true
        return table
    }

    /// A new table of a header `[[a.b]]`.
    private func openElement(of path: [Key], in root: Table) throws(Failure) -> Table {
        guard let last = path.last else { throw failure("a key is expected") }
        let parent = try descend(path.dropLast(), from: root)
        let element = Table(offset: last.offset)
        guard let index = parent.index(of: last) else {
            parent.members.append(.init(key: last, node: .tables([element])))
            return element
        }
        guard case .tables(let earlier) = parent.members[index].node else { throw twice(last) }
        parent.members[index].node = .tables(earlier + [element])
        return element
    }

    /// Reads `a.b = value` into a table.
    mutating func assignment(in table: Table, depth: Int) throws(Failure) {
        let path = try dottedKey()
        guard let last = path.last else { throw failure("a key is expected") }
        guard take("=") else { throw failure("'=' is expected") }
        let value = try value(depth: depth + path.count)
        let parent = try descend(path.dropLast(), from: table)
        guard parent.index(of: last) == nil else { throw twice(last) }
        parent.members.append(.init(key: last, node: .value(value)))
    }

    private func descend(_ path: some Sequence<Key>, from start: Table) throws(Failure) -> Table {
        var table = start
        for key in path {
            guard let index = table.index(of: key) else {
                let inner = Table(offset: key.offset)
                table.members.append(.init(key: key, node: .table(inner)))
                table = inner
                continue
            }
            switch table.members[index].node {
            case .table(let inner): table = inner
            case .tables(let all):
                guard let inner = all.last else { throw twice(key) }
                table = inner
            case .value: throw twice(key)
            }
        }
        return table
    }

    private func twice(_ key: Key?) -> Failure {
        Failure(reason: "'\(key?.text ?? "")' appears twice", offset: key?.offset ?? position)
    }

    // MARK: Keys

    private mutating func dottedKey() throws(Failure) -> [Key] {
        var path: [Key] = []
        repeat {
            skipSpace()
            path.append(try key())
            guard path.count < Self.maximumDepth else { throw failure("it is nested too deeply") }
            skipSpace()
        } while take(".")
        return path
    }

    private mutating func key() throws(Failure) -> Key {
        let offset = position
        switch next {
        case UInt8(ascii: "\""): return Key(text: try basicString(), offset: offset)
        case UInt8(ascii: "'"): return Key(text: try literalString(), offset: offset)
        default:
            while let byte = next, Self.isBare(byte) { position += 1 }
            guard position > offset else { throw failure("a key is expected") }
            return Key(text: String(decoding: bytes[offset..<position], as: UTF8.self), offset: offset)
        }
    }

    private static func isBare(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    // MARK: Bytes

    var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    func failure(_ reason: String) -> Failure {
        Failure(reason: position < bytes.count ? reason : "the file ends too early", offset: position)
    }

    mutating func take(_ character: Character) -> Bool {
        guard next == character.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func word(_ word: String) -> Bool {
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    /// Skips space within a line.
    mutating func skipSpace() {
        while next == 0x20 || next == 0x09 { position += 1 }
    }

    /// Skips space, line ends and comments.
    mutating func skipBlank() {
        while let byte = next {
            if byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
                position += 1
            } else if byte == UInt8(ascii: "#") {
                while let byte = next, byte != 0x0A { position += 1 }
            } else {
                return
            }
        }
    }
}
