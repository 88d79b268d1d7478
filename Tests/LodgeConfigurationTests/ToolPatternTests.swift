// SPDX-License-Identifier: Apache-2.0

import LodgeConfiguration
import Testing

@Suite("ToolPattern")
struct ToolPatternTests {
    @Test(
        "fits what it says and nothing else",
        arguments: [
            ("mcp__git__*", "git", "log", true), ("mcp__git__*", "files", "log", false),
            ("mcp__git", "git", "log", true),
            ("mcp__git__log", "git", "log", true), ("mcp__git__log", "git", "logs", false),
            ("mcp__git-hub__a__b", "git-hub", "a__b", true), ("log", "git", "log", true), ("log", "git", "xlog", false),
            ("git_*", "any", "git_log", true), ("git_*", "any", "git_", true), ("git_*", "any", "git", false),
            ("*", "any", "x", true), ("a*b*c", "any", "a1b2b3c", true), ("a*b*c", "any", "acb", false),
            ("*a", "any", "aba", true), ("**", "any", "", true), ("LOG", "git", "log", false),
        ])
    func matches(_ pattern: String, _ server: String, _ tool: String, _ expected: Bool) throws {
        #expect(try ToolPattern.parse(pattern).matches(server: ServerName(server), tool: tool) == expected)
    }

    @Test(
        "refuses what cannot be a pattern",
        arguments: ["", "a b", "a,b", "Bash(ls)", "mcp__", "mcp__A__x", "mcp__git__", "a\u{7}"])
    func refuses(_ text: String) {
        let message = "tool pattern '\(text)' cannot be used; write TOOL, PREFIX*, mcp__SERVER__TOOL or mcp__SERVER__*"
        #expect(throws: ConfigurationError(.value, message)) { try ToolPattern.parse(text) }
    }

    @Test("many stars do not take long", .timeLimit(.minutes(1)))
    func stars() throws {
        let pattern = try ToolPattern.parse(String(repeating: "a*", count: 200) + "b")
        #expect(try !pattern.matches(server: ServerName("s"), tool: String(repeating: "a", count: 5000)))
    }
}
