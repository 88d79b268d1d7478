// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// A session on a terminal: keys, job control, hang-up, and the terminal's settings afterwards (C14, C17).
@Suite("lodge run: terminal", .serialized, .timeLimit(.minutes(1)))
struct RunTerminalTests {
    /// An interactive agent: Ctrl-C does not end it.
    static let interactive = """
        trap 'echo got INT' INT; trap 'echo got QUIT' QUIT; trap 'echo got TERM; exit 9' TERM
        trap 'echo got HUP >hung-up; exit 8' HUP
        echo ready
        while :; do sleep 1000 & wait $!; done
        """

    private func command(_ scratch: ScratchDirectory, _ sandbox: String, _ script: String) throws -> [String] {
        let specs = JSONValue.array([TestServers.fixture("one", "echo")])
        let file = try scratch.write(String(decoding: specs.serialized, as: UTF8.self), to: "specs.json")
        let agent = try scratch.write(script, to: "agent.sh")
        return [
            BuiltProducts.lodge, "run", "--specs", file, "--sandbox", sandbox, "--log-level", "error", "--", "/bin/sh",
            agent,
        ]
    }

    /// Lodge with an agent on a terminal of its own.
    private func terminal(
        _ scratch: ScratchDirectory, _ sandbox: String, _ script: String, readsUntil: String? = nil
    ) throws -> PseudoTerminal {
        try PseudoTerminal(command(scratch, sandbox, script), in: scratch, readsUntil: readsUntil)
    }

    @Test("Ctrl-C and Ctrl-\\ reach the agent once, and lodge goes on with it", arguments: ["auto", "off"])
    func keys(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let terminal = try terminal(scratch, sandbox, Self.interactive)
            await terminal.screen.wait(for: "ready")
            let family = terminal.family
            terminal.type("\u{3}")
            await terminal.screen.wait(for: "got INT")
            terminal.type("\u{1C}")
            await terminal.screen.wait(for: "got QUIT")
            terminal.send(SIGTERM)
            #expect(await terminal.finish(after: family) == 9)
            #expect(terminal.screen.lines.count { $0.contains("got INT") } == 1)
            #expect(terminal.screen.lines.count { $0.contains("got QUIT") } == 1)
        }
    }

    @Test("a signal sent to lodge alone reaches the agent behind its sandbox", arguments: ["auto", "off"])
    func signalToLodge(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let terminal = try terminal(scratch, sandbox, Self.interactive)
            await terminal.screen.wait(for: "ready")
            let family = terminal.family
            terminal.send(SIGTERM)
            #expect(await terminal.finish(after: family) == 9)
            #expect(terminal.screen.lines.count { $0.contains("got TERM") } == 1)
        }
    }

    @Test(
        "an agent that does not end when told is killed, and the terminal is left in order", arguments: ["auto", "off"])
    func deafAgent(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let terminal = try terminal(
                scratch, sandbox, "stty raw -echo; trap '' TERM; echo ready; while :; do sleep 1000; done")
            let before = terminal.localFlags
            await terminal.screen.wait(for: "ready")
            #expect(terminal.localFlags != before)
            let family = terminal.family
            terminal.send(SIGTERM)
            #expect(await terminal.finish(after: family) == 137)
            #expect(terminal.localFlags == before)
        }
    }

    @Test("when the terminal goes away, the agent is told, and then nothing is left", arguments: ["auto", "off"])
    func hangUp(_ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let terminal = try terminal(scratch, sandbox, Self.interactive, readsUntil: "ready")
            await terminal.screen.wait(for: "ready")
            let family = terminal.family
            terminal.hangUp()
            #expect(await terminal.finish(after: family) == 8)
            #expect(try scratch.read("hung-up") == "got HUP\n")
        }
    }

    @Test(
        "Ctrl-Z, and an agent that stops itself, give the shell its prompt back; fg goes on (C17)",
        arguments: [#"typed"#, "kill -TSTP $$", "kill -STOP 0"], ["auto", "off"])
    func jobControl(_ stop: String, _ sandbox: String) async throws {
        try await ScratchDirectory.with { scratch in
            let script = """
                echo ready
                \(stop == "typed" ? "read -r line" : stop)
                echo going on
                exit 5
                """
            let line = try command(scratch, sandbox, script).map { "'\($0)'" }.joined(separator: " ")
            let terminal = try PseudoTerminal(["/bin/sh", "-i"], in: scratch)
            terminal.type(line + "; echo status $?\n")
            // The command is echoed without this word at the beginning of a line.
            await terminal.screen.wait { $0.contains { $0.hasSuffix("ready") } }
            if stop == "typed" { terminal.type("\u{1A}") }
            await terminal.screen.wait(for: "Stopped")
            // The shell works it out, so what was typed does not hold it.
            terminal.type("echo shell $((40 + 2))\n")
            await terminal.screen.wait(for: "shell 42")
            terminal.type("fg; echo after $?\n")
            if stop == "typed" { terminal.type("\n") }
            await terminal.screen.wait(for: "going on")
            await terminal.screen.wait { $0.contains { $0.hasSuffix("after 5") } }
            let family = terminal.family
            terminal.type("exit 0\n")
            #expect(await terminal.finish(after: family) == 0)
        }
    }
}
