// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// The servers of a session: whose children they are, what they are given, and how they start (C3–C7, C-G5, A4).
@Suite("lodge run: servers", .serialized, .timeLimit(.minutes(1)))
struct RunServersTests {
    /// An agent that says when it runs and ends with its input.
    static let waiting = "echo ready; read -r line; exit 0"

    @Test("every server is a child of lodge and none is below the agent (C3)")
    func children() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo"), TestServers.fixture("two", "counting")], in: scratch,
                script: Self.waiting)
            await run.output.wait(for: "ready")
            let family = run.family
            let servers = family.members.filter { $0.arguments.first == BuiltProducts.fixture }
            #expect(servers.count == 2)
            #expect(servers.allSatisfy { $0.parent == run.pid })
            let agents = family.members.filter { $0.arguments.contains(Self.waiting) && $0.parent == run.pid }
            #expect(agents.count == 1)
            let belowAgent = agents.flatMap { family.below($0.pid) }
            #expect(!belowAgent.contains { servers.map(\.pid).contains($0.pid) })
            run.endInput()
            #expect(await run.finish(after: family) == 0)
        }
    }

    @Test("a server gets what is allowed, what its spec says and nothing else; the spec wins (C4)")
    func environment() async throws {
        try await ScratchDirectory.with { scratch in
            let env: JSONValue = ["MODE": "spec", "LANG": "xx", "API_KEY": "${KEY_OF_CALLER}", "EMPTY": nil]
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo", env: env)], in: scratch,
                environment: [
                    "KEY_OF_CALLER": "canary-of-caller", "LANG": "C", "MODE": "caller", "EDITOR": "vi",
                    "HTTPS_PROXY": "http://upper:1", "https_proxy": "http://lower:1", "LC_TIME": "C",
                ], script: Self.waiting)
            await run.output.wait(for: "ready")
            let server = try #require(run.family.members.first { $0.arguments.first == BuiltProducts.fixture })
            let own = server.environment.filter { !$0.hasPrefix("LODGE_MARKER=") }
            var given = Set(own)
            for expected in [
                "MODE=spec", "LANG=xx", "API_KEY=canary-of-caller", "HTTPS_PROXY=http://upper:1",
                "https_proxy=http://lower:1", "LC_TIME=C", "HOME=\(scratch.path)/home", "TMPDIR=\(scratch.path)/tmp",
            ] { #expect(given.remove(expected) != nil, "\(expected)") }
            let names = Set(given.map { String($0.prefix { $0 != "=" }) })
            let allowed: Set<String> = [
                "PATH", "TERM", "USER", "LOGNAME", "SHELL", "TZ", "TMP", "TEMP", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY",
                "http_proxy", "no_proxy", "all_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
            ]
            #expect(names.filter { !$0.hasPrefix("LC_") }.isSubset(of: allowed))
            run.endInput()
            await run.finish()
        }
    }

    @Test("a secret of the caller's environment that no server names reaches no child at all (C4)")
    func unrelatedSecret() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo")], in: scratch,
                environment: ["DEPLOY_TOKEN": "canary-unrelated"], script: Self.waiting)
            await run.output.wait(for: "ready")
            let family = run.family
            #expect(family.members.count >= 3, "guard, server and agent")
            for member in family.members {
                let holders = member.environment.filter { $0.contains("canary-unrelated") }
                #expect(holders.isEmpty, "\(member.name)")
            }
            run.endInput()
            await run.finish(after: family)
        }
    }

    @Test("all servers are behind one listener, on loopback, on a free port (C5)")
    func listener() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo"), TestServers.fixture("two", "echo")], in: scratch,
                script: Self.waiting)
            await run.output.wait(for: "ready")
            let ready = try run.ready()
            #expect(ready.paths == ["one": "/servers/one/mcp", "two": "/servers/two/mcp"])
            let port = String(ready.port, radix: 16, uppercase: true)
            let local = "0100007F:" + String(repeating: "0", count: 4 - port.count) + port
            #expect(try ListeningSockets.addresses(of: run.pid) == [local])
            #expect(HTTPExchange.connect(to: "127.0.0.1", port: ready.port) != nil)
            // Every address of 127.0.0.0/8 is this machine's, but only one is listened on.
            #expect(HTTPExchange.connect(to: "127.0.0.2", port: ready.port) == nil)
            run.endInput()
            await run.finish()
        }
    }

    @Test("the agent starts only after every server answered initialize and tools/list (C6)")
    func readiness() async throws {
        try await ScratchDirectory.with { scratch in
            let log = scratch.path + "/asked"
            let slow = TestServers.canned(
                "slow", pages: (#"{"tools":[]}"#, "{}"), call: "{}", log: log)
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo"), slow], in: scratch,
                script: "grep -o 'initialize\"\\|tools/list' '\(log)'; echo end")
            #expect(await run.finish() == 0)
            #expect(run.output.lines == ["initialize\"", "tools/list", "end"])
        }
    }

    @Test("a server whose variables are not all set is left out, and one with all of them comes last (C2)")
    func requires() async throws {
        try await ScratchDirectory.with { scratch in
            func server(_ name: String, requires: String...) -> JSONValue {
                let members = TestServers.fixture(name, "echo").members ?? []
                return .object(members + [.init("requires", .array(requires.map { .string($0) }))])
            }
            let run = try AgentRun(
                servers: [
                    server("both", requires: "ONE", "TWO"), server("half", requires: "ONE", "NONE"), server("plain"),
                ],
                in: scratch, environment: ["ONE": "1", "TWO": "2"], script: Self.waiting)
            await run.output.wait(for: "ready")
            #expect(try run.ready().paths.keys.sorted() == ["both", "plain"])
            #expect(
                run.log.lines.contains {
                    $0.contains("warning lodge:")
                        && $0.hasSuffix(
                            "server 'half' is left out: it requires NONE too, set nowhere where Lodge runs")
                })
            run.endInput()
            await run.finish()
        }
    }

    @Test("servers start side by side: two that wait for each other both come up (C-G5)")
    func parallel() async throws {
        try await ScratchDirectory.with { scratch in
            func waiting(_ own: String, _ other: String) -> JSONValue {
                TestServers.fixture(
                    own,
                    after: ": >'\(scratch.path)/\(own)'; until [ -e '\(scratch.path)/\(other)' ]; do sleep 0.02; done",
                    "echo")
            }
            let run = try AgentRun(
                servers: [waiting("left", "right"), waiting("right", "left")], in: scratch, script: "echo ready")
            #expect(await run.finish() == 0)
            #expect(run.output.lines == ["ready"])
        }
    }

    @Test("a server that says nothing is given up after the start timeout (C-G5)")
    func startTimeout() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("good", "echo"), TestServers.shell("mute", "exec sleep 1000")],
                in: scratch, flags: ["--start-timeout", "1"], script: "echo ready")
            #expect(await run.finish() == 1)
            #expect(run.output.lines == [])
            #expect(
                run.log.lines.suffix(2) == [
                    "error: server 'mute' did not start: did not finish its handshake: "
                        + "no answer to initialize within 1 s",
                    "hint: its stderr stands in the log above; the agent was not started",
                ])
        }
    }

    @Test("when one server fails to start, the others are stopped, no agent runs, and nothing is left (C7)")
    func failedStart() async throws {
        try await ScratchDirectory.with { scratch in
            let gate = scratch.path + "/gate"
            let run = try AgentRun(
                servers: [
                    TestServers.fixture("one", "echo"),
                    TestServers.fixture("two", "hostile", "--calm", "--ignore-sigterm", "--ignore-eof"),
                    TestServers.shell(
                        "three", "until [ -e '\(gate)' ]; do sleep 0.02; done; echo no database here >&2; exit 3"),
                ], in: scratch, script: "echo ready")
            for name in ["one", "two", "three"] { await run.log.wait(for: "server=\(name)") }
            let family = run.family
            #expect(family.members.filter { $0.arguments.first == BuiltProducts.fixture }.count == 2)
            try scratch.write("", to: "gate")
            #expect(await run.finish(after: family) == 1)
            #expect(run.output.lines == [])
            #expect(run.log.lines.contains { $0.contains("server=three") && $0.contains("no database here") })
            #expect(
                run.log.lines.suffix(2) == [
                    "error: server 'three' did not start: ended with exit status 3",
                    "hint: its stderr stands in the log above; the agent was not started",
                ])
        }
    }

    @Test("a server that refuses initialize is a failed start, with the server's own reason (C7)")
    func refusedInitialize() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("db", "failing-initialize")], in: scratch, script: "echo ready")
            #expect(await run.finish() == 1)
            let error = try #require(run.log.lines.first { $0.hasPrefix("error: ") })
            #expect(error.hasPrefix("error: server 'db' did not start: "))
            #expect(error.contains("the database is not reachable"))
        }
    }
}

/// The TCP sockets on which a process listens, as the kernel tells them.
enum ListeningSockets {
    static func addresses(of pid: Int32) throws -> [String] {
        let places = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")
        let own = Set(
            places.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/fd/\($0)") })
        return try ["/proc/\(pid)/net/tcp", "/proc/\(pid)/net/tcp6"].flatMap { table in
            try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n").dropFirst().compactMap { line in
                let fields = line.split(separator: " ")
                // proc_pid_net(5): local address, remote address, state (0A is LISTEN) … inode is the tenth field.
                guard fields.count > 9, fields[3] == "0A", own.contains("socket:[\(fields[9])]") else { return nil }
                return String(fields[1])
            }
        }
    }
}
