// SPDX-License-Identifier: Apache-2.0

extension JSONValue {
    /// Reads a document: the grammar of ``MessageScanner``, but equal members may stand in any object.
    ///
    /// - Parameter maximumDepth: how many arrays and objects may stand inside each other. Reading and writing recurse
    ///   that deep, so it is small.
    package static func parse(_ bytes: Span<UInt8>, maximumDepth: Int = 128) throws(ScanError) -> JSONValue {
        var proof = JSONWalker(maximumDepth: maximumDepth)
        let range = try proof.wholeValue(bytes)
        var walker = JSONWalker(maximumDepth: maximumDepth)
        walker.at = range.lowerBound
        return try read(bytes, &walker)
    }

    package static func parse(_ bytes: [UInt8], maximumDepth: Int = 128) throws(ScanError) -> JSONValue {
        try parse(bytes.span, maximumDepth: maximumDepth)
    }

    /// Builds the value at the place of the walker, in bytes that are proved to be JSON and not too deep.
    private static func read(_ bytes: Span<UInt8>, _ walker: inout JSONWalker) throws(ScanError) -> JSONValue {
        let start = walker.at
        switch bytes[start] {
        case .openBrace: return try readObject(bytes, &walker)
        case .openBracket: return try readArray(bytes, &walker)
        default: try walker.value(bytes, depth: 0)
        }
        let range = start..<walker.at
        switch bytes[start] {
        case .quote: return .string(try text(bytes, start + 1..<range.upperBound - 1))
        case 0x74: return .bool(true)
        case 0x66: return .bool(false)
        case 0x6E: return .null
        default: return .number(Number(unchecked: try text(bytes, range)))
        }
    }

    private static func text(_ bytes: Span<UInt8>, _ contents: Range<Int>) throws(ScanError) -> String {
        guard let text = JSONString.decode(bytes, contents: contents) else {
            throw ScanError(.notJSON, at: contents.lowerBound)
        }
        return text
    }

    private static func readObject(_ bytes: Span<UInt8>, _ walker: inout JSONWalker) throws(ScanError) -> JSONValue {
        try walker.enterObject(depth: 0)
        var members: [Member] = []
        var isFirst = true
        while let key = try walker.nextKey(bytes, isFirst: &isFirst) {
            members.append(Member(try text(bytes, key.start..<key.end), try read(bytes, &walker)))
        }
        return .object(members)
    }

    private static func readArray(_ bytes: Span<UInt8>, _ walker: inout JSONWalker) throws(ScanError) -> JSONValue {
        walker.at += 1
        var elements: [JSONValue] = []
        while try walker.nextToken(bytes) != .closeBracket {
            elements.append(try read(bytes, &walker))
            if try walker.nextToken(bytes) == .comma {
                walker.at += 1
                walker.skipSpace(bytes)
            }
        }
        walker.at += 1
        return .array(elements)
    }

    /// The document on one line, without white space.
    package var serialized: [UInt8] {
        var bytes: [UInt8] = []
        write(into: &bytes)
        return bytes
    }

    private func write(into bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .bool(let flag): bytes.append(contentsOf: flag ? "true".utf8 : "false".utf8)
        case .number(let number): bytes.append(contentsOf: number.text.utf8)
        case .string(let text): JSONString.encode(text, into: &bytes)
        case .array(let elements):
            bytes.append(.openBracket)
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(.comma) }
                element.write(into: &bytes)
            }
            bytes.append(.closeBracket)
        case .object(let members):
            bytes.append(.openBrace)
            for (index, member) in members.enumerated() {
                if index > 0 { bytes.append(.comma) }
                JSONString.encode(member.name, into: &bytes)
                bytes.append(.colon)
                member.value.write(into: &bytes)
            }
            bytes.append(.closeBrace)
        }
    }
}
