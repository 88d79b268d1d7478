// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// What an agent is started with and how its end is told (C1, C8, C9, C13, C17, C-G1).
@Suite("lodge run: agent", .serialized, .timeLimit(.minutes(1)))
struct RunAgentTests {
    @Test(
        "no servers are no servers: the agent runs with an empty config (C1)",
        arguments: ["", "[]", #"{"mcpServers":{}}"#])
    func empty(_ specs: String) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(specs: specs, in: scratch, agent: ["/bin/cat", "{mcp-config}"])
            #expect(await run.finish() == 0)
            #expect(run.output.lines == ["{", #"  "mcpServers": {}"#, "}"])
            #expect(run.log.lines.filter { !$0.contains(" info ") } == [])
        }
    }

    @Test("specs can come from standard input, in the shape of mcp.json (C1)", arguments: ["-", "/dev/stdin"])
    func standardInput(_ name: String) async throws {
        try await ScratchDirectory.with { scratch in
            let specs = #"{"mcpServers": {"one": {"command": "\#(BuiltProducts.fixture)", "args": ["echo"]}}}"#
            let file = try scratch.write(specs, to: "piped")
            let run = try AgentRun(
                arguments: ["run", "--specs", name, "--", "/bin/sh", "-c", "grep -c url \"$1\"", "sh", "{mcp-config}"],
                in: scratch, standardInput: file)
            #expect(await run.finish() == 0)
            #expect(run.output.lines == ["1"])
        }
    }

    @Test("the agent's config holds type, URL and a header that names its own variable, byte for byte (C8)")
    func config() async throws {
        try await ScratchDirectory.with { scratch in
            let servers = [
                TestServers.fixture("two", "echo"),
                TestServers.fixture("one", "vault", env: ["DEMO_API_KEY": "canary-in-config"]),
            ]
            let run = try AgentRun(
                servers: servers, in: scratch,
                script: "cat \"$1\"; stat -c %a \"$1\" \"$(dirname \"$1\")\"; echo ready; read -r line; exit 0")
            await run.output.wait(for: "ready")
            let port = try run.ready().port
            #expect(
                run.output.lines.joined(separator: "\n") == """
                    {
                      "mcpServers": {
                        "one": {
                          "type": "http",
                          "url": "http://127.0.0.1:\(port)/servers/one/mcp",
                          "headers": {
                            "Authorization": "Bearer ${LODGE_TOKEN}"
                          }
                        },
                        "two": {
                          "type": "http",
                          "url": "http://127.0.0.1:\(port)/servers/two/mcp",
                          "headers": {
                            "Authorization": "Bearer ${LODGE_TOKEN}"
                          }
                        }
                      }
                    }
                    600
                    700
                    ready
                    """)
            run.endInput()
            await run.finish()
        }
    }

    @Test("the agent has its token, no server's secret under any name, and no credential that was not passed (C9)")
    func environment() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("vault", "vault", env: ["DEMO_API_KEY": "${CALLERS_KEY}"])], in: scratch,
                flags: ["--pass", "ANTHROPIC_API_KEY"],
                environment: [
                    "CALLERS_KEY": "canary-0123", "HARMLESS": "a canary-0123 b", "ANTHROPIC_API_KEY": "agents-own",
                    "GITHUB_TOKEN": "not-passed", "EDITOR": "vi", "LODGE_TOKEN": "inherited",
                    "NO_PROXY": "example.com",
                ], script: "env; echo end")
            #expect(await run.finish() == 0)
            let lines = Set(run.output.lines)
            #expect(
                lines.isSuperset(of: [
                    "ANTHROPIC_API_KEY=agents-own", "EDITOR=vi", "NO_PROXY=example.com,127.0.0.1,localhost",
                    "no_proxy=example.com,127.0.0.1,localhost",
                ]))
            for name in ["CALLERS_KEY", "HARMLESS", "GITHUB_TOKEN"] {
                #expect(!lines.contains { $0.hasPrefix("\(name)=") }, "\(name)")
                #expect(run.log.lines.contains { $0.contains("variable kept from the agent name=\(name)") })
            }
            #expect(!run.everything.contains("canary-0123"))
            let tokens = run.output.lines.filter { $0.hasPrefix("LODGE_TOKEN=") }
            #expect(tokens.count == 1)
            #expect(tokens.first?.hasPrefix("LODGE_TOKEN=lodge_") == true)
        }
    }

    @Test("the ready file holds servers, token and pid, is its owner's alone and goes with the session (C-G1)")
    func readyFile() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo")], in: scratch,
                script: "echo $LODGE_TOKEN; read -r line; exit 0")
            await run.output.wait(for: "lodge_")
            let ready = try run.ready()
            #expect([ready.token] == run.output.lines)
            #expect(ready.pid == run.pid)
            #expect(ready.paths == ["one": "/mcp"])
            let facts = try FileManager.default.attributesOfItem(atPath: scratch.path + "/ready.json")
            #expect(facts[.posixPermissions] as? Int == 0o600)
            run.endInput()
            await run.finish()
            #expect(!scratch.exists("ready.json"))
        }
    }

    @Test("each run has a token of its own, which stands in no file but the ready file (C-G1)")
    func tokenOnDisk() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo")], in: scratch, script: "echo ready; read -r line; exit 0")
            await run.output.wait(for: "ready")
            let token = try run.ready().token
            let files = try #require(FileManager.default.enumerator(atPath: scratch.path)).compactMap { $0 as? String }
            #expect(files.contains { $0.hasSuffix("mcp-config.json") }, "the agent's config is among the files")
            let holders = files.filter { file in
                guard let data = FileManager.default.contents(atPath: scratch.path + "/" + file) else { return false }
                return String(decoding: data, as: UTF8.self).contains(token)
            }
            #expect(holders == ["ready.json"])
            #expect(!run.everything.contains(token))
            run.endInput()
            await run.finish()
        }
    }

    @Test("Claude Code gets its config and its tools in front of the user's arguments, in the strict form (C12, C13)")
    func claude() async throws {
        try await ScratchDirectory.with { scratch in
            let fake = try scratch.program("#!/bin/sh\nprintf '%s\\n' \"$@\"\ngrep -c http \"$2\"\n", named: "claude")
            let servers = [
                TestServers.fixture("every", "echo"),
                TestServers.fixture("some", "echo").allowing("ec*", "mcp__some__x"),
                TestServers.fixture("none", "echo").allowing(),
            ]
            let specs = String(decoding: JSONValue.array(servers).serialized, as: UTF8.self)
            let run = try AgentRun(
                specs: specs, in: scratch, flags: ["--agent", "claude"],
                agent: [fake, "-p", "say hello", "--output-format", "stream-json"])
            #expect(await run.finish() == 0)
            var lines = run.output.lines
            try #require(lines.count == 10)
            #expect(lines.remove(at: 1).hasSuffix("/mcp-config.json"))
            #expect(
                lines == [
                    "--mcp-config", "--allowedTools", "mcp__every__*,mcp__some__ec*,mcp__some__x",
                    "--strict-mcp-config",
                    "-p", "say hello", "--output-format", "stream-json", "6",
                ])
        }
    }

    @Test(
        "lodge ends with the agent's own status, 128 and the signal for one that a signal ended (C17)",
        arguments: [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -TERM $$", 143), ("kill -KILL $$", 137)],
        ["auto", "off"])
    func status(_ end: (script: String, status: Int32), _ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo")], in: scratch, flags: ["--sandbox", sandbox],
                script: end.script)
            #expect(await run.finish() == end.status)
        }
    }

    @Test("the agent has lodge's own three streams and its working directory (C17)")
    func streams() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(servers: [], in: scratch, script: "pwd; cat; echo complaint >&2")
            run.endInput()
            #expect(await run.finish() == 0)
            #expect(run.output.lines == [scratch.path])
            #expect(run.log.lines.contains("complaint"))
        }
    }
}
