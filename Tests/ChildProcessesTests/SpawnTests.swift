// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

@Suite("spawning", .timeLimit(.minutes(1)))
struct SpawnTests {
    private func specification(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = ScriptChild.environment
    ) -> ChildSpecification {
        ChildSpecification(executable: executable, arguments: arguments, environment: environment)
    }

    @Test("arguments with spaces, quotes and metacharacters arrive as they are")
    func arguments() async throws {
        let arguments = [
            "a b", "", "$HOME", "`id`", "; echo x", "\"quoted\"", "it's", "*", "back\\slash", "é|&>", "-n",
        ]
        let script = try ScriptChild(specification("printf", ["[%s]\n"] + arguments))
        #expect(await script.output.rest() == arguments.map { "[\($0)]" })
        await script.child.waitForEnd()
    }

    @Test("the environment is what was built and the marker, nothing of the parent's")
    func environment() async throws {
        var specification = specification("/usr/bin/env", environment: ["A": "1", "B": "two words=x"])
        specification.marker = "marker-1"
        let script = try ScriptChild(specification)
        // The parent has variables, so this cannot pass by chance.
        #expect(unsafe getenv("PATH") != nil)
        #expect(await script.output.rest() == ["LODGE_MARKER=marker-1", "A=1", "B=two words=x"])
        await script.child.waitForEnd()
    }

    @Test("a marker in the built environment does not replace the child's own")
    func markerWins() async throws {
        var specification = specification("/usr/bin/env", environment: ["LODGE_MARKER": "foreign"])
        specification.marker = "marker-2"
        let script = try ScriptChild(specification)
        #expect(await script.output.rest() == ["LODGE_MARKER=marker-2"])
        await script.child.waitForEnd()
    }

    @Test("the program is looked up in the child's PATH, not in the parent's")
    func childPath() throws {
        let error = try #require(throws: SpawnError.self) {
            try ChildProcess.spawn(specification("env", environment: ["PATH": "/no/such/place:/proc"]))
        }
        #expect(error.code == .notFound)
    }

    @Test("the child has the descriptors 0, 1 and 2 alone")
    func descriptors() async throws {
        // One that is not close-on-exec, as a library might leave it.
        let leak = fcntl(0, F_DUPFD, 200)
        defer { close(leak) }
        let script = try ScriptChild(specification("ls", ["/proc/self/fd"]))
        // The last one is the directory that ls itself reads.
        #expect(await script.output.rest() == ["0", "1", "2", "3"])
        await script.child.waitForEnd()
    }

    @Test("the child starts with no signal ignored and none blocked")
    func signals() async throws {
        signal(SIGPIPE, SIG_IGN)
        let script = try ScriptChild(specification("grep", ["-E", "^Sig(Blk|Ign):", "/proc/self/status"]))
        let masks = await script.output.rest().map { $0.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } }
        // 32 and 33 belong to the C library, which leaves them ignored in every program it spawns.
        #expect(masks.map { $0.map { $0 & ~(3 << 31) } } == [0, 0])
        await script.child.waitForEnd()
    }

    @Test("the child leads a process group of its own in Lodge's session")
    func ownGroup() async throws {
        let script = try ScriptChild("echo ready; cat")
        #expect(await script.output.next() == "ready")
        let entry = try #require(ProcessTable.entry(of: script.child.pid))
        #expect(entry.group == script.child.pid)
        #expect(entry.session == getsid(0))
        await script.child.teardown(.immediate)
    }

    @Test("a session leads its own session and group")
    func ownSession() async throws {
        let script = try ScriptChild("echo ready; cat", group: .session)
        #expect(await script.output.next() == "ready")
        let entry = try #require(ProcessTable.entry(of: script.child.pid))
        #expect(entry.group == script.child.pid)
        #expect(entry.session == script.child.pid)
        await script.child.teardown(.immediate)
    }

    @Test("the child starts in its working directory, and a relative program is found from there")
    func workingDirectory() async throws {
        var specification = specification("./env", ["pwd"])
        specification.workingDirectory = "/usr/bin"
        let script = try ScriptChild(specification)
        #expect(await script.output.rest() == ["/usr/bin"])
        await script.child.waitForEnd()
    }

    @Test("what is written to the standard input reaches the child, and its end too")
    func standardInput() async throws {
        let script = try ScriptChild("cat")
        let input = try #require(script.child.takeStandardInput {})
        #expect(script.child.takeStandardInput {} == nil)
        #expect(fcntl(input, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(input, F_GETFD) & FD_CLOEXEC != 0)
        #expect(unsafe write(input, "hello\n", 6) == 6)
        #expect(await script.output.next() == "hello")
        close(input)
        #expect(await script.child.waitForExit() == .exited(0))
    }
}
