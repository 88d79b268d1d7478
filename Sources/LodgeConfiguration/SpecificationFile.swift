// SPDX-License-Identifier: Apache-2.0

/// A file of server definitions in a shape of another program, entry by entry.
///
/// The shapes are a list of `{name, command, args, env …}` whose member names may be written in any case, and an object
/// with the servers by name under one of `SpecificationShape`'s members. Unknown members are warnings, since the file
/// is not Lodge's own. It is TOML where its name says so, else JSON; one that is empty or blank has no servers. It reads
/// no other file and resolves nothing.
package struct SpecificationFile: Sendable {
    /// What one entry came to; an entry that is switched off came to nothing.
    package enum Entry: Sendable {
        case server(ServerSpecification)
        case refused(ConfigurationError)
    }

    /// How a file is to be read.
    package struct Options: Sendable {
        /// What an entry that names no isolation gets.
        package var isolation: Isolation
        /// What a pool that names no number of replicas gets.
        package var replicas: Int
        /// Whether comments and trailing commas are taken in JSON, as editors take them in theirs.
        package var allowsComments: Bool

        package init(
            isolation: Isolation = .shared, replicas: Int = Defaults.poolReplicas.value, allowsComments: Bool = false
        ) {
            self.isolation = isolation
            self.replicas = replicas
            self.allowsComments = allowsComments
        }
    }

    /// In the order of the file.
    package let entries: [Entry]
    package let notices: [ConfigurationNotice]

    /// Reads a file; throws where it can be read no further, and not for a single entry.
    ///
    /// - Parameter sourceName: how errors and notices name the file.
    package static func read(
        _ bytes: [UInt8], sourceName: String, options: Options = Options()
    ) throws(ConfigurationError) -> SpecificationFile {
        guard bytes.contains(where: { $0 > 0x20 }) else { return SpecificationFile(entries: [], notices: []) }
        let text = SourceText(bytes, name: sourceName)
        let isTOML = sourceName.lowercased().hasSuffix(".toml")
        let document: PositionedJSON
        do {
            document =
                try isTOML
                ? TOMLFileParser.parse(bytes)
                : JSONFileParser.parse(bytes, allowsComments: options.allowsComments)
        } catch {
            throw ConfigurationError(
                .syntax, "failed to parse as \(isTOML ? "TOML" : "JSON"): \(error.reason)",
                at: text.location(of: error.offset))
        }
        var reader = SpecificationReader(text: text, isolation: options.isolation, replicas: options.replicas)
        switch document.content {
        case .array(let elements): reader.read(list: elements)
        case .object(let members): try reader.read(document: members, at: document.offset)
        default:
            throw ConfigurationError(
                .syntax, "expected a list of servers or an object with 'mcpServers', found \(document.kind)",
                at: text.location(of: document.offset))
        }
        return SpecificationFile(entries: reader.entries, notices: reader.notices)
    }

    /// The servers of a file in which every entry has to be right.
    package func everyServer() throws(ConfigurationError) -> [ServerSpecification] {
        var servers: [ServerSpecification] = []
        for entry in entries {
            switch entry {
            case .server(let server): servers.append(server)
            case .refused(let error): throw error
            }
        }
        return servers
    }

    /// Reads a file in which every entry has to be right.
    package static func parse(
        _ bytes: [UInt8], sourceName: String
    ) throws(ConfigurationError) -> (servers: [ServerSpecification], warnings: [String]) {
        let file = try read(bytes, sourceName: sourceName)
        return (try file.everyServer(), file.notices.map(\.description))
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
