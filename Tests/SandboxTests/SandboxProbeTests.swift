// SPDX-License-Identifier: Apache-2.0

import Foundation
import Sandbox
import Testing

@Suite("SandboxProbe", .timeLimit(.minutes(1)))
struct SandboxProbeTests {
    private let user = SandboxUser(userID: 1000, groupID: 1000)

    private func facts(_ programs: [String]) -> PathFacts {
        PathFacts { programs.contains($0) ? .init(path: $0, isDirectory: false) : nil }
    }

    @Test("bubblewrap is taken where it works")
    func bubblewrap() {
        let probe = SandboxProbe(
            run: { _, _ in .succeeded }, facts: facts(["/bin/sh", "/usr/bin/env", "/opt/bin/bwrap"]))
        let tools = SandboxTools(shell: "/bin/sh", env: "/usr/bin/env", mount: "", setpriv: "")
        #expect(
            probe.detect(searchPath: "rel:/opt/bin", user: user) == .bubblewrap(path: "/opt/bin/bwrap", tools: tools))
    }

    @Test("unshare is taken where bubblewrap is there and does not work")
    func fallsBack() {
        let programs = ["sh", "env", "bwrap", "unshare", "mount", "setpriv"].map { "/usr/bin/\($0)" }
        let probe = SandboxProbe(
            run: { launch, _ in launch.arguments.contains("/usr/bin/bwrap") ? .failed("no") : .succeeded },
            facts: facts(programs))
        let tools = SandboxTools(
            shell: "/usr/bin/sh", env: "/usr/bin/env", mount: "/usr/bin/mount", setpriv: "/usr/bin/setpriv")
        #expect(
            probe.detect(searchPath: nil, user: user)
                == .unshare(path: "/usr/bin/unshare", userNamespaces: true, tools: tools))
    }

    @Test("where nothing works the reasons are given")
    func reasons() {
        let programs = ["sh", "env", "bwrap"].map { "/usr/bin/\($0)" }
        let failing = SandboxProbe(run: { _, _ in .failed("bwrap: no permission") }, facts: facts(programs))
        #expect(
            failing.detect(searchPath: nil, user: user)
                == .none(reason: "bubblewrap: bwrap: no permission; unshare, mount or setpriv is not installed"))
        let hanging = SandboxProbe(run: { _, _ in .timedOut }, facts: facts(programs))
        #expect(
            hanging.detect(searchPath: nil, user: user)
                == .none(reason: "bubblewrap: it did not end within 3 s; unshare, mount or setpriv is not installed"))
        #expect(
            SandboxProbe(run: { _, _ in .succeeded }, facts: facts([])).detect(searchPath: nil, user: user)
                == .none(reason: "there is no sh or no env on this machine"))
    }

    @Test(
        "a real trial tells success, failure with its first line, and a tool that hangs",
        arguments: [
            ("exit 0", nil), ("echo first >&2; echo second >&2; exit 1", "first"),
            ("exit 1", "it ended with wait status 256"),
            ("exec sleep 600", "it did not end within 1 s"),
        ])
    func trial(_ script: String, _ reason: String?) throws {
        let scratch = try OpenDirectory()
        let tool = scratch.path + "/bwrap"
        // Written by another process: a program that this one has open for writing cannot be started, and a test that
        // forks at the moment keeps it open.
        let writer = Process()
        writer.executableURL = URL(filePath: "/bin/sh")
        writer.arguments = ["-c", "printf '#!/bin/sh\\n%s\\n' \"$2\" >\"$1\" && chmod 755 \"$1\"", "sh", tool, script]
        try writer.run()
        writer.waitUntilExit()
        let facts = PathFacts { path in
            ["sh", "env"].contains { path == "/usr/bin/\($0)" } || path == tool ? PathFacts.live.look(path) : nil
        }
        let limit: Duration = script.contains("sleep") ? .seconds(1) : .seconds(30)
        let capability = SandboxProbe(facts: facts, limit: limit).detect(searchPath: scratch.path, user: user)
        let tools = SandboxTools(shell: "/usr/bin/sh", env: "/usr/bin/env", mount: "", setpriv: "")
        let expected: SandboxCapability =
            reason.map { .none(reason: "bubblewrap: \($0); unshare, mount or setpriv is not installed") }
            ?? .bubblewrap(path: tool, tools: tools)
        #expect(capability == expected)
    }
}
