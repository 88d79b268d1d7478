// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import Testing

/// The promise itself: a key that a server has is found by the agent nowhere (A4, X1; decisions 9–11).
@Suite("lodge run: canary", .serialized, .timeLimit(.minutes(2)))
struct RunCanaryTests {
    /// Runs the demo's session with a key of this test alone, and answers status, output and the key.
    private func demo(
        in scratch: ScratchDirectory, flags: [String] = [], agent: [String] = [],
        specs: (String) throws -> String, environment: (String) -> [String: String] = { _ in [:] }
    ) async throws -> (status: Int32, run: AgentRun, key: String) {
        let prefix = "CANARY-\(UInt32.random(in: 0 ... .max))-"
        let key = prefix + (0..<2).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
        let run = try AgentRun(
            specs: try specs(key), in: scratch, flags: flags, environment: environment(key),
            agent: [BuiltProducts.demoAgent, "--mcp-config", "{mcp-config}", "--hunt-for-prefix", prefix] + agent)
        return (await run.finish(), run, key)
    }

    /// A file with as many servers as keys; each needs its own.
    private func vaults(_ keys: String...) -> String {
        let servers = keys.enumerated().map { number, key in
            TestServers.fixture("vault-\(number + 1)", "vault", env: ["DEMO_API_KEY": .string(key)])
        }
        return String(decoding: JSONValue.array(servers).serialized, as: UTF8.self)
    }

    @Test(
        "the agent uses the key and finds it in no variable, argument, file, process or answer",
        .enabled(SandboxTools.reason, SandboxTools.work))
    func nowhere() async throws {
        try await ScratchDirectory.with { scratch in
            let (status, run, key) = try await demo(
                in: scratch, flags: ["--sandbox", "required"], specs: { vaults($0) })
            #expect(run.output.lines.contains("server 'vault-1' offers: lookup, leak"))
            #expect(run.output.lines.contains { $0.hasPrefix("lookup answers: Berlin: ") })
            #expect(run.output.lines.contains { $0.hasPrefix("searched: ") })
            #expect(run.output.lines.last == "found: nothing")
            #expect(status == 0)
            #expect(!run.everything.contains(key))
        }
    }

    @Test(
        "a key of the caller's environment and one from a file are hidden as well",
        .enabled(SandboxTools.reason, SandboxTools.work))
    func references() async throws {
        try await ScratchDirectory.with { scratch in
            let (status, run, _) = try await demo(
                in: scratch, flags: ["--sandbox", "required"],
                specs: { key in
                    try scratch.write(key + "\n", to: "key")
                    return vaults("${file:\(scratch.path)/key}", "${CALLERS_KEY}")
                },
                environment: { ["CALLERS_KEY": $0, "SAME_UNDER_ANOTHER_NAME": "x=\($0)"] })
            #expect(run.output.lines.last == "found: nothing")
            #expect(status == 0)
        }
    }

    @Test("a key that its server writes to standard error is in the log by its name only (X1)")
    func standardError() async throws {
        try await ScratchDirectory.with { scratch in
            let talking = TestServers.entry(
                "talking", "/bin/sh",
                ["-c", "echo \"key: $SOME_TOKEN.\" >&2; exec \"$0\" echo", BuiltProducts.fixture],
                env: ["SOME_TOKEN": "canary-on-stderr"])
            let run = try AgentRun(servers: [talking], in: scratch, script: "exit 0")
            #expect(await run.finish() == 0)
            #expect(run.log.lines.contains { $0.contains("key: [redacted:SOME_TOKEN].") })
            #expect(!run.everything.contains("canary-on-stderr"))
        }
    }

    @Test(
        "an agent sees the directory of its own session and of no other",
        .enabled(SandboxTools.reason, SandboxTools.work))
    func otherSessions() async throws {
        try await ScratchDirectory.with { first in
            try await ScratchDirectory.with { second in
                let script = "ls \"$(dirname \"$(dirname \"$1\")\")\"; echo ready; read -r line; exit 0"
                let one = try AgentRun(servers: [], in: first, script: script)
                await one.output.wait(for: "ready")
                let two = try AgentRun(
                    servers: [], in: second, environment: ["TMPDIR": first.path + "/tmp"], script: script)
                await two.output.wait(for: "ready")
                #expect(two.output.lines.count == 2 && one.output.lines.count == 2)
                #expect(two.output.lines.first != one.output.lines.first)
                two.endInput()
                #expect(await two.finish() == 0)
                one.endInput()
                #expect(await one.finish() == 0)
            }
        }
    }

    @Test("without a sandbox the agent finds exactly what SECURITY.md says")
    func unconfined() async throws {
        try await ScratchDirectory.with { scratch in
            let (status, run, key) = try await demo(in: scratch, flags: ["--sandbox", "off"], specs: { vaults($0) })
            #expect(status == 3)
            let finds = run.output.lines.filter { $0.hasPrefix("found: ") }
            // The environment of the server, the file of servers, and the memory of both ends of the pipe.
            #expect(finds.contains { $0.contains("/environ") && $0.contains("FixtureServer") })
            #expect(finds.contains("found: \(scratch.path)/specs.json"))
            // This test made the key, so it has it as well.
            let ownName = try String(contentsOfFile: "/proc/self/comm", encoding: .utf8).dropLast()
            for find in finds where !find.hasSuffix("(process \"\(ownName)\")") {
                let isKnown =
                    find.contains("specs.json") || find.contains("(process \"FixtureServer\")")
                    || find.contains("(process \"lodge\")")
                #expect(isKnown, "\(find)")
            }
            #expect(run.log.lines.contains { $0.contains("it can read the environment of every server in /proc") })
            #expect(!run.everything.contains(key))
        }
    }
}
