// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// What an entry's `tools` and `result_limit` do to what an agent sees and may call (C12, C-G3).
@Suite("lodge run: rules of tools", .serialized, .timeLimit(.minutes(1)))
struct RunToolRulesTests {
    /// Runs a session whose agent waits while the body plays its part.
    private func session(
        _ servers: [JSONValue], _ body: (AgentRun, ReadyFacts) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(servers: servers, in: scratch, script: "echo ready; read -r line; exit 0")
            await run.output.wait(for: "ready")
            try await body(run, try run.ready())
            let family = run.family
            run.endInput()
            #expect(await run.finish(after: family) == 0)
        }
    }

    private func text(_ answer: JSONValue) -> [String] {
        answer["result"]?["content"]?.elements?.compactMap { $0["text"]?.string } ?? []
    }

    @Test("allowed, denied and renamed tools are listed as they can be called, and no others (C12, C-G3)")
    func rules() async throws {
        let counting = TestServers.fixture("counting", "counting").with(
            "tools", ["deny": ["pro*"], "rename": ["hit": "strike"]])
        let named = TestServers.fixture("named", "counting").with("tools", ["allow": ["*"], "deny": ["hit"]])
        try await session([counting, named]) { run, ready in
            let client = try await ready.client(of: "counting")
            #expect(try await Set(client.toolNames()) == ["strike", "count"])
            #expect(try await Set(ready.client(of: "named").toolNames()) == ["progress", "count"])
            for name in ["hit", "progress"] {
                let refused = try await client.call(name, ["label": "x"])
                #expect(refused["error"]?["code"] == -32602)
                #expect(refused["error"]?["message"]?.string == "unknown tool: \(name)")
            }
            #expect(try await client.call("strike", ["label": "once"])["result"] != nil)
            #expect(try await client.call("count")["result"]?["structuredContent"]?["total"] == 1)
            await run.log.wait(for: "name=strike")
            #expect(run.log.lines.contains { $0.contains(" call ") && $0.contains("name=strike") })
        }
    }

    @Test("of a renamed tool only the name's bytes change, in the list and in the call")
    func renamedBytes() async throws {
        let page = #"{ "tools":[{"title":"a", "name" : "a","inputSchema":{"type":"object"},"x":1.0e3}]}"#
        try await ScratchDirectory.with { scratch in
            let log = scratch.path + "/asked"
            let server = TestServers.canned("c", pages: (page, page), call: "{}", log: log).with(
                "tools", ["rename": ["a": "the.new_name"]])
            try await session([server]) { _, ready in
                let client = try await ready.client(of: "c")
                #expect(
                    try await client.text("tools/list", "{}").contains(
                        #"[{"title":"a", "name" : "the.new_name","inputSchema":{"type":"object"},"x":1.0e3}]"#))
                _ = try await client.text("tools/call", #"{"x":1.0, "name" : "the.new_name" ,"arguments":{}}"#)
                let asked = try String(contentsOfFile: log, encoding: .utf8)
                #expect(asked.contains(#""params":{"x":1.0, "name" : "a" ,"arguments":{}}"#))
            }
        }
    }

    @Test("a tool whose name was given to another is left out, with one warning that mends it")
    func takenName() async throws {
        let server = TestServers.fixture("counting", "counting").with("tools", ["rename": ["hit": "count"]])
        try await session([server]) { run, ready in
            let client = try await ready.client(of: "counting")
            for _ in 0..<2 { #expect(try await Set(client.toolNames()) == ["progress", "count"]) }
            #expect(try await client.call("count", ["label": "x"])["result"]?["structuredContent"]?["total"] == nil)
            let warning = "tool left out, its name was given to another by tools.rename; rename it too"
            await run.log.wait(for: warning)
            #expect(run.log.lines(with: warning).count == 1)
            #expect(run.log.lines(with: warning).first?.contains("tool=count") == true)
        }
    }

    @Test("Claude Code is told of tools by the names that it sees (C12)")
    func claude() async throws {
        try await ScratchDirectory.with { scratch in
            let fake = try scratch.program("#!/bin/sh\nprintf '%s\\n' \"$@\"\n", named: "claude")
            let server = TestServers.fixture("some", "counting").with(
                "tools", ["allow": ["hit", "count", "pro*"], "deny": ["count"], "rename": ["hit": "strike"]])
            let run = try AgentRun(
                specs: String(decoding: JSONValue.array([server]).serialized, as: UTF8.self), in: scratch,
                flags: ["--agent", "claude"], agent: [fake, "-p", "go"])
            #expect(await run.finish() == 0)
            let lines = run.output.lines
            let flag = try #require(lines.firstIndex(of: "--allowedTools"))
            #expect(lines[flag + 1] == "mcp__some__pro*,mcp__some__strike")
        }
    }

    @Test("a result over the limit is cut with a notice, in either isolation", arguments: ["shared", "client"])
    func limit(isolation: String) async throws {
        let server = TestServers.everything("all").with("result_limit", "64KiB").with(
            "isolation", .string(isolation))
        try await session([server]) { _, ready in
            let client = try await ready.client(of: "all")
            #expect(try await text(client.call("big", ["bytes": 65_536])) == [String(repeating: "x", count: 65_536)])
            #expect(
                try await text(client.call("big", ["bytes": 300_000])) == [
                    String(repeating: "x", count: 65_536),
                    "[lodge: cut to 65536 of 300000 bytes; server 'all']",
                ])
        }
    }

    @Test("structured content over the limit becomes an error that says so")
    func structured() async throws {
        let result =
            #"{"content":[{"type":"text","text":"short"}],"structuredContent":{"t":"\#(String(repeating: "y", count: 99))"}}"#
        try await ScratchDirectory.with { scratch in
            let server = TestServers.canned(
                "c", pages: (#"{"tools":[]}"#, #"{"tools":[]}"#), call: result, log: scratch.path + "/asked"
            ).with("result_limit", 64)
            try await session([server]) { _, ready in
                let answer = try await ready.client(of: "c").call("any")
                #expect(
                    text(answer) == [
                        "short", "[lodge: structured content of 107 bytes left out, the limit is 64; server 'c']",
                    ])
                #expect(answer["result"]?["isError"] == true)
                #expect(answer["result"]?["structuredContent"] == nil)
            }
        }
    }
}
