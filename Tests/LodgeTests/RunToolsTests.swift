// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// What an agent can do with the servers, and what of it is written down (C10–C12, C-G2–C-G4, C-G6, C-G7).
@Suite("lodge run: tools", .serialized, .timeLimit(.minutes(1)))
struct RunToolsTests {
    /// Runs a session whose agent waits while the body plays its part.
    private func session(
        _ servers: [JSONValue], flags: [String] = [], _ body: (AgentRun, ReadyFacts) async throws -> Void
    ) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: servers, in: scratch, flags: flags, script: "echo ready; read -r line; exit 0")
            await run.output.wait(for: "ready")
            try await body(run, try run.ready())
            let family = run.family
            run.endInput()
            #expect(await run.finish(after: family) == 0)
        }
    }

    @Test("tools and results go through byte for byte, page after page (C10)")
    func verbatim() async throws {
        let first =
            #"{ "tools":[{"name":"a","inputSchema":{"type":"object"},"x-own":[1.0e3,"\u0041"]}], "nextCursor":"p/2" }"#
        let second = #"{"tools" : [{"name":"b","inputSchema":{"type":"object"},"_meta":{"k":null}}]}"#
        let result =
            #"{"content":[{"type":"text","text":"caf\u00e9"}],"structuredContent":{"n":1.50,"n2":10000000000000001}}"#
        try await ScratchDirectory.with { scratch in
            let log = scratch.path + "/asked"
            try await session([TestServers.canned("c", pages: (first, second), call: result, log: log)]) { _, ready in
                let client = try await ready.client(of: "c")
                #expect(try await client.text("tools/list", "{}").contains(first))
                #expect(try await client.text("tools/list", #"{"cursor":"p/2"}"#).contains(second))
                let arguments = #"{"name":"a","arguments":{"deep":{"x":[1.0,"\u00e9",null]},"big":10000000000000001}}"#
                #expect(try await client.text("tools/call", arguments).contains(result))
                #expect(try String(contentsOfFile: log, encoding: .utf8).contains(#""params":"# + arguments))
            }
        }
    }

    @Test("each call is logged with server, tool, caller, outcome and duration, and not with its arguments (C11, C-G6)")
    func callLog() async throws {
        try await session([TestServers.fixture("one", "echo"), TestServers.fixture("two", "echo")]) { run, ready in
            let client = try await ready.client(of: "two")
            #expect(try await client.text(of: "echo", ["message": "a private matter"]) == "a private matter")
            await run.log.wait(for: "name=echo")
            let line = try #require(run.log.lines.first { $0.contains("name=echo") })
            for part in [" call ", "server=two", "method=tools/call", "principal=agent", "outcome=", "duration_ms="] {
                #expect(line.contains(part), "\(part)")
            }
            #expect(!run.everything.contains("private"))
        }
    }

    @Test("what a server writes to its standard error is in the log under the server's name (C11)")
    func standardError() async throws {
        let noisy = TestServers.fixture("noisy", after: "echo 'loading the index' >&2", "echo")
        try await session([noisy, TestServers.fixture("quiet", "echo")]) { run, _ in
            let lines = run.log.lines.filter { $0.contains("loading the index") }
            #expect(lines.count == 1)
            #expect(lines.first?.hasSuffix(#"stderr line="loading the index" server=noisy"#) == true)
        }
    }

    @Test("a tool that is not allowed is neither listed nor called, and the server does not hear of it (C-G3)")
    func allowList() async throws {
        let server = TestServers.fixture("counting", "counting").allowing("count", "mcp__counting__pro*")
        try await session([server]) { _, ready in
            let client = try await ready.client(of: "counting")
            #expect(try await client.toolNames() == ["progress", "count"])
            let refused = try await client.call("hit", ["label": "x"])
            #expect(refused["error"]?["code"]?.integer == -32602)
            #expect(refused["error"]?["message"]?.string == "unknown tool: hit")
            #expect(refused["result"] == nil)
            #expect(try await client.text(of: "count")?.contains("hit") == false)
        }
    }

    @Test("with --tools=listed a server that lists none allows none; without it, all (C12, C-G3)")
    func listedOnly() async throws {
        let servers = [
            TestServers.fixture("open", "echo"), TestServers.fixture("named", "echo").allowing("echo"),
            TestServers.fixture("closed", "echo").allowing(),
        ]
        try await session(servers) { _, ready in
            let (open, closed) = (try await ready.client(of: "open"), try await ready.client(of: "closed"))
            #expect(try await open.toolNames() == ["echo"])
            #expect(try await closed.toolNames() == [])
        }
        try await session(servers, flags: ["--tools", "listed"]) { _, ready in
            let (open, named) = (try await ready.client(of: "open"), try await ready.client(of: "named"))
            #expect(try await open.toolNames() == [])
            #expect(try await named.toolNames() == ["echo"])
            let refused = try await open.call("echo", ["message": "x"])
            #expect(refused["error"]?["code"]?.integer == -32602)
        }
    }

    @Test("resources, prompts, completion and progress reach the agent too (C-G2)")
    func otherMethods() async throws {
        try await session([TestServers.fixture("counting", "counting"), TestServers.everything("every")]) { _, ready in
            let all = try await ready.client(of: "every")
            #expect(try await all.request("resources/list")["result"]?["resources"]?.elements?.isEmpty == false)
            #expect(try await all.request("prompts/list")["result"]?["prompts"]?.elements?.isEmpty == false)
            #expect(try await all.request("ping")["result"] == [:])
            let messages = try await ready.client(of: "counting").messages(
                of: "tools/call",
                [
                    "name": "progress", "arguments": ["steps": 2, "label": "mine"],
                    "_meta": ["progressToken": "my token"],
                ])
            let progress = messages.filter { $0["method"]?.string == "notifications/progress" }
            #expect(progress.map { $0["params"]?["progressToken"] } == ["my token", "my token"])
            #expect(messages.last?["result"] != nil)
        }
    }

    @Test("a server that dies during a call fails that call with the reason and is there for the next (C-G4, X2)")
    func restart() async throws {
        try await ScratchDirectory.with { scratch in
            let crashing = TestServers.fixture(
                "frail", "crashing", "--at", "during-call", "--once", scratch.path + "/crashed")
            try await session([crashing], flags: ["--restart-delays", "0"]) { run, ready in
                let client = try await ready.client(of: "frail")
                let failed = try await client.call("echo", ["message": "one"])
                #expect(failed["error"]?["code"]?.integer == -32000)
                #expect(
                    failed["error"]?["message"]?.string == "server 'frail' ended with exit status 3 before it answered")
                #expect(try await client.text(of: "echo", ["message": "two"]) == "two")
                #expect(run.log.lines.contains { $0.contains("server ended, it is started again") })
            }
        }
    }

    @Test("the endpoint opens to the session's token alone, under its own name, for no foreign page (C-G1, C-G7)")
    func doors() async throws {
        try await session([TestServers.fixture("one", "echo")]) { _, ready in
            let body = Array(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#.utf8)
            // Who is let in is told that there is no session yet.
            let attempts: [(token: String?, fields: [String], status: Int)] = [
                (nil, [], 401), ("lodge_guessed", [], 401), (ready.token, ["Origin: https://evil.example"], 403),
                (ready.token, ["Host: evil.example"], 403), (ready.token, [], 400),
            ]
            for attempt in attempts {
                let response = try await HTTPExchange.post(
                    body, port: ready.port, path: "/mcp", token: attempt.token, fields: attempt.fields)
                #expect(response.status == attempt.status, "\(attempt.fields)")
            }
        }
    }
}
