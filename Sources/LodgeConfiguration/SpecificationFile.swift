// SPDX-License-Identifier: Apache-2.0

/// Reads a file of server definitions in a shape of another program.
///
/// Two shapes: a list of `{name, command, args, env …}` whose member names may be written in any case, and an object
/// with `mcpServers`, as Claude Code has it. Unknown members are warnings, since the file is not Lodge's own. A file
/// that is empty or blank has no servers. It reads no other file and resolves nothing.
package enum SpecificationFile {
    /// Parses the content of a file; `sourceName` is how errors and warnings name it.
    package static func parse(
        _ bytes: [UInt8], sourceName: String
    ) throws(ConfigurationError) -> (servers: [ServerSpecification], warnings: [String]) {
        guard bytes.contains(where: { $0 > 0x20 }) else { return ([], []) }
        let text = SourceText(bytes, name: sourceName)
        let document: PositionedJSON
        do {
            document = try JSONFileParser.parse(bytes)
        } catch {
            throw ConfigurationError(
                .syntax, "failed to parse as JSON: \(error.reason)", at: text.location(of: error.offset))
        }
        var reader = SpecificationReader(text: text)
        switch document.content {
        case .array(let elements): try reader.read(list: elements)
        case .object(let members): try reader.read(document: members, at: document.offset)
        default:
            throw ConfigurationError(
                .syntax, "expected a list of servers or an object with 'mcpServers', found \(document.kind)",
                at: text.location(of: document.offset))
        }
        return (reader.servers, reader.warnings)
    }
}

/// The content of a file, to turn an offset into a line and a column.
struct SourceText {
    let name: String
    private let bytes: [UInt8]

    init(_ bytes: [UInt8], name: String) {
        self.bytes = bytes
        self.name = name
    }

    func location(of offset: Int) -> SourceLocation {
        let before = bytes.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let scalars = before[lineStart...].count { $0 & 0xC0 != 0x80 }
        return SourceLocation(
            source: name, line: before.count { $0 == UInt8(ascii: "\n") } + 1, column: scalars + 1)
    }
}
