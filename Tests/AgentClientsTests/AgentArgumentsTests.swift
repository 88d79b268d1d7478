// SPDX-License-Identifier: Apache-2.0

import AgentClients
import Testing

@Suite("AgentArguments")
struct AgentArgumentsTests {
    private func build(_ command: [String], _ kind: AgentKind, _ endpoints: [AgentEndpoint] = []) throws -> [String] {
        try AgentArguments.build(command, kind: kind, configurationFile: "/s/c.json", endpoints: endpoints)
    }

    @Test("the placeholder is replaced wherever it stands, the program excepted")
    func placeholder() throws {
        #expect(
            try build(["{mcp-config}", "--c={mcp-config}", "{mcp-config}", "x"], .generic)
                == ["{mcp-config}", "--c=/s/c.json", "/s/c.json", "x"])
    }

    @Test("a generic agent gets nothing else")
    func generic() throws {
        #expect(try build(["agent", "--bare", "go"], .generic, [endpoint("a")]) == ["agent", "--bare", "go"])
    }

    @Test("claude gets its options before the user's words, a flag last so that none swallows the prompt")
    func claude() throws {
        #expect(
            try build(["claude", "-p", "go"], .claude, [endpoint("git"), endpoint("a")]) == [
                "claude", "--mcp-config", "/s/c.json", "--allowedTools", "mcp__a__*,mcp__git__*", "--strict-mcp-config",
                "-p", "go",
            ])
    }

    @Test("configured tools are named one by one, of their own server only, and none means none")
    func tools() throws {
        let endpoints = try [
            endpoint("git", ["log", "mcp__git__diff*", "mcp__other__x", "log"]), endpoint("none", []),
        ]
        #expect(AgentArguments.allowedTools(of: endpoints) == ["mcp__git__log", "mcp__git__diff*"])
        #expect(
            try build(["claude"], .claude, [endpoint("none", [])])
                == ["claude", "--mcp-config", "/s/c.json", "--strict-mcp-config"])
    }

    @Test("the file that the user placed is not named again")
    func placed() throws {
        #expect(
            try build(["claude", "--mcp-config", "{mcp-config}", "-p", "go"], .claude)
                == ["claude", "--strict-mcp-config", "--mcp-config", "/s/c.json", "-p", "go"])
    }

    @Test("claude --bare is refused with the reason, a word after -- is not")
    func bare() throws {
        let message =
            "claude --bare drops servers that are reached by HTTP, so the agent would see none of Lodge's; leave"
            + " --bare out"
        #expect(throws: AgentArgumentsError(message)) { try build(["claude", "--bare"], .claude) }
        #expect(try build(["claude", "--", "--bare"], .claude).last == "--bare")
    }

    @Test("no program is an error")
    func none() {
        #expect(throws: AgentArgumentsError("there is no agent to start; name its program after --")) {
            try build([], .claude)
        }
    }
}
