// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

/// Daemons that group, parents and environment do not tell of any more: only the child's pipes do.
@Suite("daemons without a trace but the pipes", .timeLimit(.minutes(1)))
struct EscapedDaemonTests {
    /// Starts such a daemon and ends its parent; its pid comes as `daemon PID` on the standard error.
    static func daemon(_ redirections: String = "3<&-", handler: String = "") -> String {
        """
        exec 3<&0
        (env -i /usr/bin/setsid /bin/sh -c '
            trap "\(handler)" TERM HUP; echo daemon $$ >&2
            \(handler.isEmpty ? "exec" : "") /bin/sleep 50 \(redirections)
            /bin/sleep 50' &)
        """
    }

    private func pid(of script: ScriptChild) async throws -> pid_t {
        let line = try #require(await script.errors.wait(for: 1).first)
        return try #require(line.split(separator: " ").last.flatMap { pid_t($0) }, "got '\(line)'")
    }

    /// Answers the daemon once it has nothing left of what else the tree is found by.
    private func orphan(of script: ScriptChild) async throws -> pid_t {
        #expect(await script.output.next() == "ready")
        let daemon = try await pid(of: script)
        let entry = try #require(ProcessTable.entry(of: daemon))
        try #require(entry.session == daemon && entry.group == daemon)
        try #require(!Strangers.carrying(script.child.marker).contains(daemon))
        try #require(entry.parent != script.child.pid && entry.parent != getpid())
        return daemon
    }

    @Test(
        "one that holds any of the three pipes is gone after a teardown",
        arguments: [
            "3<&-", "<&3 >/dev/null 2>/dev/null 3<&-", "</dev/null 2>/dev/null 3<&-", "</dev/null >/dev/null 3<&-",
            "</dev/null >/dev/null 2>/dev/null",
        ])
    func teardown(redirections: String) async throws {
        let script = try ScriptChild(Self.daemon(redirections) + "\necho ready; cat")
        let daemon = try await orphan(of: script)
        #expect(await script.child.teardown(.immediate).survivors.isEmpty)
        #expect(!Strangers.isAlive(daemon))
    }

    @Test("one that outlives its parent's own end is gone, too")
    func leftover() async throws {
        let script = try ScriptChild(Self.daemon() + "\necho ready; read line; exit 9")
        let daemon = try await orphan(of: script)
        script.child.closeStandardInput()
        #expect(await script.child.waitForExit() == .exited(9))
        #expect(await script.child.waitForEnd().isEmpty)
        #expect(!Strangers.isAlive(daemon))
    }

    @Test("one that lets go of the pipes when it is asked to end is killed all the same")
    func lettingGo() async throws {
        // SIGTERM ends the wait; what follows in the script has no pipe any more, and is deaf.
        let daemon = Self.daemon(
            "3<&- & wait $!", handler: #"exec </dev/null >/dev/null 2>&1 3<&-; trap \"\" TERM HUP"#)
        let script = try ScriptChild(daemon + "\necho ready; read line; exit 9")
        let pid = try await orphan(of: script)
        script.child.closeStandardInput()
        #expect(await script.child.waitForEnd().isEmpty)
        #expect(!Strangers.isAlive(pid))
    }

    @Test("those of another child, and that child, are left alone")
    func otherChild() async throws {
        let first = try ScriptChild("echo ready; cat")
        #expect(await first.output.next() == "ready")
        let second = try ScriptChild(Self.daemon() + "\necho ready; cat")
        let daemon = try await orphan(of: second)
        #expect(await first.child.teardown(.immediate).survivors.isEmpty)
        #expect(Strangers.isAlive(daemon) && Strangers.isAlive(second.child.pid))
        #expect(second.child.exitStatus == nil)
        #expect(await second.child.teardown(.immediate).survivors.isEmpty)
        #expect(!Strangers.isAlive(daemon))
    }

    @Test("another child that was given the pipe is left alone")
    func givenToOtherChild() async throws {
        let first = try ScriptChild("echo ready; cat")
        #expect(await first.output.next() == "ready")
        // With a descendant in the second child's tree that has the pipe from the beginning.
        let second = try ScriptChild("exec 4>/proc/\(first.child.pid)/fd/1; sleep 50 & echo inner $!; cat")
        let inner = try await second.pid(named: "inner")
        #expect(await first.child.teardown(.immediate).survivors.isEmpty)
        #expect(Strangers.isAlive(inner) && Strangers.isAlive(second.child.pid))
        await second.child.teardown(.immediate)
    }

    @Test("children that are being started while others are swept are left alone")
    func startedDuringSweeps() async throws {
        #expect(try await Self.otherEnds(of: 80).isEmpty)
    }

    @Test("children that are being started while the guard of a living Lodge ends others are left alone")
    func startedDuringGuard() async throws {
        let guardian = GuardProcess(executable: try ScriptChild.fixturePath()) { _ in }
        // Deaf, so that the guard goes on looking for half a second.
        let deaf = try ScriptChild("trap '' TERM; echo ready; sleep 50; sleep 50", guardedBy: guardian)
        #expect(await deaf.output.next() == "ready")
        async let stopped: Void = guardian.stop()
        #expect(try await Self.otherEnds(of: 160).isEmpty)
        await stopped
        #expect(await deaf.child.waitForExit() == .signaled(SIGKILL))
        await deaf.child.waitForEnd()
    }

    /// Starts children that exit with 7, eight at a time; answers how those ended that did not.
    private static func otherEnds(of count: Int) async throws -> [ChildProcesses.ExitStatus] {
        try await withThrowingTaskGroup(of: [ChildProcesses.ExitStatus].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var statuses: [ChildProcesses.ExitStatus] = []
                    for _ in 0..<count / 8 {
                        // Each end begins a sweep, while the other tasks start their next child.
                        statuses.append(await (try ScriptChild("exit 7")).child.waitForExit())
                    }
                    return statuses
                }
            }
            return try await group.reduce(into: []) { all, some in all += some.filter { $0 != .exited(7) } }
        }
    }

    @Test("one is gone after a SIGKILL of Lodge, by the guard")
    func killedLodge() async throws {
        let bystander = try ScriptChild(Self.daemon() + "\necho ready; cat")
        let stranger = try await orphan(of: bystander)
        let lodge = try ScriptChild.fixture("guarded", Self.daemon() + "\ncat")
        // In any order: the last one is told by the child, and only passed on by that Lodge.
        var pids: [Substring: pid_t] = [:]
        while pids.count < 3, let words = await lodge.output.next()?.split(separator: " ") {
            pids[try #require(words.first)] = words.last.flatMap { pid_t($0) }
        }
        let guardian = try #require(pids["guard"])
        let child = try #require(pids["child"])
        let daemon = try #require(pids["daemon"])
        let entry = try #require(ProcessTable.entry(of: daemon))
        #expect(entry.session == daemon && entry.parent != child)
        kill(lodge.child.pid, SIGKILL)
        #expect(await Strangers.ends(daemon))
        #expect(await Strangers.ends(guardian))
        #expect(Strangers.isAlive(stranger))
        await lodge.child.waitForEnd()
        await bystander.child.teardown(.immediate)
    }
}
