// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import Testing

/// What `make demo` shows, with programs that are built already.
@Suite("lodge run: demo", .serialized, .timeLimit(.minutes(2)))
struct RunDemoTests {
    private func demo(_ arguments: String..., in scratch: ScratchDirectory) async throws -> (Int32, [String], [String])
    {
        let script = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "../../Scripts/demo.sh").standardizedFileURL.path(percentEncoded: false)
        var environment = BuiltEnvironment.build(parent: ProcessInfo.processInfo.environment)
        environment["HOME"] = try scratch.directory("home")
        environment["TMPDIR"] = try scratch.directory("tmp")
        environment["LODGE_PRODUCTS"] = URL(filePath: BuiltProducts.lodge).deletingLastPathComponent().path
        let errors = LogLines()
        let child = try ChildProcess.spawn(
            ChildSpecification(executable: "/bin/bash", arguments: [script] + arguments, environment: environment)
        ) { errors.append($0) }
        let descriptor = try #require(child.takeStandardOutput())
        let output = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Array(LineSource(descriptor))) }
        }
        let status = await child.waitForExit().shellStatus
        await child.waitForEnd()
        #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path + "/tmp") == [])
        return (status, output, errors.lines)
    }

    @Test(
        "where there is a sandbox, the demo ends with success and a line that says so",
        .enabled(SandboxTools.reason, SandboxTools.work))
    func confined() async throws {
        try await ScratchDirectory.with { scratch in
            let (status, output, _) = try await demo("--sandbox=required", in: scratch)
            #expect(status == 0)
            #expect(output.contains("server 'vault' offers: lookup, leak"))
            #expect(output.contains("found: nothing"))
            #expect(output.last == "The agent used the server and found no key.")
        }
    }

    @Test("without a sandbox, the demo shows each find and what stays open, and ends with status 3")
    func unconfined() async throws {
        try await ScratchDirectory.with { scratch in
            let (status, output, errors) = try await demo("--sandbox=off", in: scratch)
            #expect(status == 3)
            #expect(
                output.contains {
                    $0.hasPrefix("found: /proc/") && $0.hasSuffix("/environ (process \"FixtureServer\")")
                })
            #expect(errors.contains { $0.contains("it can read the environment of every server in /proc") })
            #expect(
                errors.last
                    == "The agent found the key where the lines above say; SECURITY.md tells what stays open without a sandbox."
            )
        }
    }
}
