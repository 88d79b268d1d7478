// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import FrontDoors

@Suite("Words of a command line")
struct ShellWordsTests {
    static let lines: [(line: String, words: [String])] = [
        ("", []), ("  ", []), ("a", ["a"]), (" a\tb\nc ", ["a", "b", "c"]),
        ("a 'b c' d", ["a", "b c", "d"]), (#"a "b c"d"#, ["a", "b cd"]), ("''", [""]), (#"a """#, ["a", ""]),
        (#"a\ b"#, ["a b"]), (#"'a\b'"#, [#"a\b"#]), (#""a\"b""#, [#"a"b"#]), (#""a\\b""#, [#"a\b"#]),
        (#""a\nb""#, [#"a\nb"#]), (#"a\'b"#, ["a'b"]), ("a#b #c", ["a#b", "#c"]), ("$HOME *", ["$HOME", "*"]),
        (#"'it'"'"'s'"#, ["it's"]),
    ]

    /// D2
    @Test("words, quotations and escapes", arguments: lines)
    func split(line: String, words: [String]) throws {
        #expect(try ShellWords.split(line) == words)
    }

    @Test("what does not end is refused")
    func refused() {
        #expect(throws: ShellWords.Failure.openQuote) { try ShellWords.split("a 'b") }
        #expect(throws: ShellWords.Failure.openQuote) { try ShellWords.split(#"a "b\"#) }
        #expect(throws: ShellWords.Failure.nothingEscaped) { try ShellWords.split(#"a b\"#) }
    }
}
