// SPDX-License-Identifier: Apache-2.0

/// A pattern of tool names that an agent may use.
///
/// `mcp__SERVER__TOOL` means tools of that server, `mcp__SERVER` all of them, and a pattern without that prefix tools
/// of whichever server it is listed for. In the tool's part `*` stands for any run of characters, also none. It decides
/// nothing: it only says whether a name fits.
package struct ToolPattern: Hashable, Sendable, CustomStringConvertible {
    /// As written.
    package let text: String
    /// The server that the pattern names; nil if it names none.
    package let server: ServerName?
    /// The tool's part.
    package let tool: String

    /// Reads a pattern; `location` is for the error only.
    package static func parse(
        _ text: String, at location: SourceLocation? = nil
    ) throws(ConfigurationError) -> ToolPattern {
        let allowed = text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7F && !$0.properties.isWhitespace && !",()'\"".unicodeScalars.contains($0)
        }
        guard !text.isEmpty, allowed else { throw bad(text, at: location) }
        guard text.hasPrefix("mcp__") else { return ToolPattern(text: text, server: nil, tool: text) }
        let rest = text.dropFirst(5)
        let mark = rest.firstRange(of: "__")
        let tool = mark.map { String(rest[$0.upperBound...]) } ?? "*"
        guard let server = try? ServerName(String(rest[..<(mark?.lowerBound ?? rest.endIndex)])), !tool.isEmpty else {
            throw bad(text, at: location)
        }
        return ToolPattern(text: text, server: server, tool: tool)
    }

    private init(text: String, server: ServerName?, tool: String) {
        self.text = text
        self.server = server
        self.tool = tool
    }

    /// Tells whether this tool of this server fits.
    package func matches(server name: ServerName, tool candidate: String) -> Bool {
        if let server, server != name { return false }
        return Self.fits(Array(candidate.utf8), Array(tool.utf8))
    }

    package var description: String { text }

    private static func bad(_ text: String, at location: SourceLocation?) -> ConfigurationError {
        ConfigurationError(
            .value,
            "tool pattern '\(text)' cannot be used; write TOOL, PREFIX*, mcp__SERVER__TOOL or mcp__SERVER__*",
            at: location)
    }

    /// Matches in time proportional to the product of the lengths at worst: only the last star is ever retried.
    private static func fits(_ name: [UInt8], _ pattern: [UInt8]) -> Bool {
        var at = 0
        var wanted = 0
        var retry: (at: Int, wanted: Int)?
        while at < name.count {
            if wanted < pattern.count, pattern[wanted] == UInt8(ascii: "*") {
                wanted += 1
                retry = (at, wanted)
            } else if wanted < pattern.count, pattern[wanted] == name[at] {
                at += 1
                wanted += 1
            } else if let last = retry {
                retry = (last.at + 1, last.wanted)
                at = last.at + 1
                wanted = last.wanted
            } else {
                return false
            }
        }
        return pattern[wanted...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
