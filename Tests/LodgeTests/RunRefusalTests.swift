// SPDX-License-Identifier: Apache-2.0
import Testing

/// What `lodge run` refuses before anything is started, in its own words (C1, C13, C16).
@Suite("lodge run: refusals", .serialized, .timeLimit(.minutes(1)))
struct RunRefusalTests {
    /// Runs to the end and answers the status and the last lines of standard error.
    private func refusal(
        _ specs: String, flags: [String] = [], agent: [String] = ["/bin/sh", "-c", "echo started"]
    ) async throws -> (status: Int32, text: String) {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(specs: specs, in: scratch, flags: flags, agent: agent)
            let status = await run.finish()
            #expect(run.output.lines == [], "no agent may run")
            return (status, run.log.lines.joined(separator: "\n").replacing(scratch.path + "/", with: ""))
        }
    }

    @Test(
        "specs that cannot be used are refused with the place and the reason, status 2",
        arguments: [
            (#"[{"command": "a"}]"#, "specs.json:1:2: server 1 must have a name"),
            (#"[{"name": "  ", "command": "a"}]"#, "specs.json:1:2: server 1 must have a name"),
            (#"[{"name": "a"}]"#, "specs.json:1:2: server 'a' must have a command"),
            (#"[{"name": "a", "command": " "}]"#, "specs.json:1:2: server 'a' must have a command"),
            ("[\n  {\"name\": ", "specs.json:2:12: failed to parse as JSON: the file ends too early"),
            (
                "[{\"name\": \"a\", \"command\": \"b\"},\n{\"NAME\": \"a\", \"Command\": \"c\"}]",
                "specs.json:2:1: server name 'a' is used twice (first on line 1); rename one of them"
            ),
            ("7", "specs.json:1:1: expected a list of servers or an object with 'mcpServers', found a number"),
        ])
    func badSpecs(_ specs: String, _ message: String) async throws {
        let refusal = try await refusal(specs)
        #expect(refusal.text == "error: \(message)")
        #expect(refusal.status == 2)
    }

    @Test("a server that is reached by HTTP is refused by name, status 2")
    func remote() async throws {
        let refusal = try await refusal(#"[{"name": "far", "type": "http", "url": "https://example.com/mcp"}]"#)
        #expect(
            refusal.text
                == "error: specs.json:1:2: server 'far' is reached by HTTP, which this version cannot do yet; "
                + "give it a command or leave it out")
        #expect(refusal.status == 2)
    }

    @Test("a file that is not there is refused, status 2")
    func noFile() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(arguments: ["run", "--specs", "no.json", "--", "true"], in: scratch)
            #expect(await run.finish() == 2)
            #expect(
                run.log.lines == ["error: the file 'no.json' cannot be read; name a readable file with --specs"])
        }
    }

    @Test("without an agent there is a usage error that shows how, status 2")
    func noAgent() async throws {
        let refusal = try await refusal("[]", agent: [])
        #expect(
            refusal.text.hasPrefix(
                "error: no agent; write its command behind --, as in: lodge run --specs FILE -- claude -p TASK"))
        #expect(refusal.status == 2)
    }

    @Test("claude --bare is refused with the reason, status 2")
    func bare() async throws {
        let refusal = try await refusal(
            "[]", flags: ["--agent", "claude"], agent: ["claude", "--bare", "-p", "hello"])
        #expect(
            refusal.text.hasSuffix(
                "error: claude --bare drops servers that are reached by HTTP, so the agent would see none of Lodge's;"
                    + " leave --bare out"))
        #expect(refusal.status == 2)
    }

    @Test(
        "an agent that is not there is refused in Lodge's words, with and without a sandbox",
        arguments: ["auto", "off"])
    func noProgram(_ sandbox: String) async throws {
        let refusal = try await refusal("[]", flags: ["--sandbox", sandbox], agent: ["no-such-agent"])
        #expect(
            refusal.text.hasSuffix(
                "error: cannot start 'no-such-agent': no such file in PATH; give the full path or install it"))
        #expect(refusal.status == 1)
    }

    @Test("a secret that is not set refuses the start of its server, and the agent is not started")
    func unresolved() async throws {
        let refusal = try await refusal(
            #"[{"name": "a", "command": "cat", "env": {"API_KEY": "${NO_SUCH_VARIABLE}"}}]"#)
        #expect(
            refusal.text.hasSuffix(
                """
                error: server 'a' did not start: could not be started: specs.json:1:53: server 'a': env API_KEY needs \
                the variable NO_SUCH_VARIABLE, which is not set; set it where Lodge runs
                hint: its stderr stands in the log above; the agent was not started
                """))
        #expect(refusal.status == 1)
    }

    @Test("a ready file that cannot be written refuses the start")
    func readyFile() async throws {
        let refusal = try await refusal("[]", flags: ["--ready-file", "/no/such/directory/ready"])
        #expect(
            refusal.text.hasSuffix(
                "error: ready file '/no/such/directory/ready' cannot be written: no such file or directory"))
        #expect(refusal.status == 1)
    }
}
