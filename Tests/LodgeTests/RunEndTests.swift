// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// How a session ends: with its agent, with a signal, or by force; and that nothing is left then (C14, C17).
@Suite("lodge run: end", .serialized, .timeLimit(.minutes(1)))
struct RunEndTests {
    /// Says which signal it got and ends with a status of its own.
    static let catching = """
        for name in HUP INT QUIT TERM; do trap "echo got $name; exit 9" $name; done
        trap 'echo got USR1' USR1
        echo ready
        while :; do sleep 1000 & wait $!; done
        """
    /// Does not end when asked, and neither does what it starts.
    static let deaf = """
        trap '' HUP INT QUIT TERM
        sleep 1000 &
        echo ready
        while :; do sleep 1000; done
        """

    /// A server that ends only by SIGKILL, with a daemon that left its session and lost its parent.
    private func stubborn(_ scratch: ScratchDirectory) -> JSONValue {
        let daemon = """
            trap '' HUP TERM; echo $$ >'\(scratch.path)/starting'; mv '\(scratch.path)/starting' '\(scratch.path)/daemon'
            while :; do sleep 1000; done
            """
        return TestServers.fixture(
            "stubborn",
            after: """
                (setsid /bin/sh -c "\(daemon.replacing("$", with: "\\$"))" </dev/null >/dev/null 2>&1 &)
                until [ -e '\(scratch.path)/daemon' ]; do sleep 0.02; done
                """,
            "hostile", "--calm", "--ignore-sigterm", "--ignore-eof")
    }

    /// Everybody there is once the agent has said that it is ready.
    private func family(_ run: AgentRun, _ scratch: ScratchDirectory) async throws -> ProcessFamily {
        await run.output.wait(for: "ready")
        let text = try scratch.read("daemon").trimmingCharacters(in: .whitespacesAndNewlines)
        let daemon = try #require(Int32(text).flatMap(ProcessFamily.Member.init))
        let family = run.family
        #expect(!family.members.contains { $0.pid == daemon.pid }, "it is nobody's child any more")
        return family.adding(daemon)
    }

    @Test(
        "when the agent ends, with success or not, even servers that will not are gone, and their daemons (C14)",
        arguments: [0, 3])
    func agentEnds(_ status: Int32) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [stubborn(scratch), TestServers.fixture("one", "echo")], in: scratch,
                script: "echo ready; read -r line; exit \(status)")
            let family = try await family(run, scratch)
            let port = try run.ready().port
            run.endInput()
            #expect(await run.finish(after: family) == status)
            #expect(HTTPExchange.connect(to: "127.0.0.1", port: port) == nil)
        }
    }

    @Test("what the agent leaves running ends with it (C14)", arguments: ["auto", "off"])
    func leftovers(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let script = """
                (setsid sh -c 'trap "" HUP TERM; echo $$ >left; mv left left-behind; while :; do sleep 1000; done' &)
                until [ -e left-behind ]; do sleep 0.02; done
                echo ready; read -r line; exit 0
                """
            let run = try AgentRun(servers: [], in: scratch, flags: ["--sandbox", sandbox], script: script)
            await run.output.wait(for: "ready")
            var family = run.family
            if sandbox == "off" {
                // Inside a sandbox it has another number, but is found below lodge; here it is below nobody.
                let text = try scratch.read("left-behind").trimmingCharacters(in: .whitespacesAndNewlines)
                family = family.adding(try #require(Int32(text).flatMap(ProcessFamily.Member.init)))
            }
            #expect(
                family.members.contains {
                    $0.arguments.last?.contains("left-behind") == true && $0.arguments.count == 3
                })
            run.endInput()
            #expect(await run.finish(after: family) == 0)
        }
    }

    @Test(
        "a signal to lodge reaches the agent, whose status is lodge's (C14, C17)",
        arguments: [(SIGHUP, "HUP"), (SIGINT, "INT"), (SIGQUIT, "QUIT"), (SIGTERM, "TERM")], ["auto", "off"])
    func signal(_ signal: (number: Int32, name: String), _ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo")], in: scratch, flags: ["--sandbox", sandbox],
                script: Self.catching)
            await run.output.wait(for: "ready")
            let family = run.family
            run.send(SIGUSR1)
            await run.output.wait(for: "got USR1")
            run.send(signal.number)
            #expect(await run.finish(after: family) == 9)
            #expect(run.output.lines == ["ready", "got USR1", "got \(signal.name)"])
        }
    }

    @Test("an agent that a signal to lodge ended is told as 128 and the signal (C17)", arguments: ["auto", "off"])
    func signalStatus(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [], in: scratch, flags: ["--sandbox", sandbox], script: "echo ready; exec sleep 1000")
            await run.output.wait(for: "ready")
            run.send(SIGTERM)
            #expect(await run.finish() == 143)
        }
    }

    @Test(
        "an agent that does not end when told is killed, with all it started, and everything else goes too (C14)",
        arguments: ["auto", "off"])
    func deafAgent(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [stubborn(scratch)], in: scratch, flags: ["--sandbox", sandbox], script: Self.deaf)
            let family = try await family(run, scratch)
            run.send(SIGTERM)
            #expect(await run.finish(after: family) == 137)
        }
    }

    @Test("told to end before the agent runs, lodge stops the servers and starts none (C14)")
    func beforeTheAgent() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [TestServers.fixture("one", "echo"), TestServers.shell("mute", "exec sleep 1000")],
                in: scratch, script: "echo ready")
            await run.log.wait(for: "server=mute")
            let family = run.family
            run.send(SIGTERM)
            #expect(await run.finish(after: family) == 143)
            #expect(run.output.lines == [])
            #expect(run.log.lines.last == "error: interrupted by SIGTERM before the agent was started")
        }
    }

    @Test("a second signal while the servers end does not cut that short (C14)")
    func impatience() async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [stubborn(scratch)], in: scratch, script: "echo ready; read -r line; exit 4")
            let family = try await family(run, scratch)
            run.endInput()
            await run.log.wait(for: "agent ended")
            for signal in [SIGTERM, SIGINT, SIGHUP] { run.send(signal) }
            #expect(await run.finish(after: family) == 4)
        }
    }

    @Test(
        "when lodge itself is killed, its servers, their daemons and the agent go all the same (C14)",
        arguments: ["auto", "off"])
    func killed(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let run = try AgentRun(
                servers: [stubborn(scratch)], in: scratch, flags: ["--sandbox", sandbox], script: Self.deaf)
            let family = try await family(run, scratch)
            run.send(SIGKILL)
            // The guard does it a moment later, so there is only the end to wait for.
            #expect(await eventually { family.survivors.isEmpty })
            #expect(await run.status() == 137)
        }
    }
}
