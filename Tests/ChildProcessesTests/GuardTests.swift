// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

@Suite("guard", .timeLimit(.minutes(1)))
struct GuardTests {
    @Test("a killed Lodge leaves none of its processes behind")
    func killedLodge() async throws {
        let lodge = try ScriptChild.fixture(
            "guarded",
            """
            trap '' TERM HUP PIPE
            (setsid sh -c 'trap "" TERM; (sleep 50 & echo daemon $! >&2)' &)
            for i in 1 2 3 4 5; do sleep 10; done
            """)
        let guardian = try await lodge.pid(named: "guard")
        let child = try await lodge.pid(named: "child")
        let daemon = try await lodge.pid(named: "daemon")
        #expect(Strangers.isAlive(child) && Strangers.isAlive(daemon) && Strangers.isAlive(guardian))
        // Not by its tree: a kill of Lodge alone is what the guard is for.
        kill(lodge.child.pid, SIGKILL)
        #expect(await Strangers.ends(child))
        #expect(await Strangers.ends(daemon))
        #expect(await Strangers.ends(guardian))
        await lodge.child.waitForEnd()
    }

    @Test("an environment-less process in the child's group goes as well")
    func groupOfKilledLodge() async throws {
        let lodge = try ScriptChild.fixture(
            "guarded",
            "trap '' TERM HUP; (env -i /bin/sleep 50 & echo bare $! >&2); for i in 1 2 3 4 5; do sleep 10; done")
        let guardian = try await lodge.pid(named: "guard")
        _ = try await lodge.pid(named: "child")
        let bare = try await lodge.pid(named: "bare")
        kill(lodge.child.pid, SIGKILL)
        #expect(await Strangers.ends(bare))
        #expect(await Strangers.ends(guardian))
        await lodge.child.waitForEnd()
    }

    @Test("a Lodge that ends in order takes its guard along")
    func orderedEnd() async throws {
        let lodge = try ScriptChild.fixture("guarded", "cat")
        let guardian = try await lodge.pid(named: "guard")
        _ = try await lodge.pid(named: "child")
        lodge.child.closeStandardInput()
        #expect(await lodge.output.rest() == ["stopped"])
        #expect(await lodge.child.waitForExit() == .exited(0))
        // Collected by the Lodge that started it, so not even a zombie is left.
        #expect(ProcessTable.entry(of: guardian) == nil)
    }

    @Test("the guard has a session of its own and is deaf to what ends Lodge")
    func deaf() async throws {
        let lodge = try ScriptChild.fixture("guarded", "cat")
        let guardian = try await lodge.pid(named: "guard")
        _ = try await lodge.pid(named: "child")
        #expect(ProcessTable.entry(of: guardian)?.session == guardian)
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] { kill(guardian, signal) }
        lodge.child.closeStandardInput()
        // No problem is told in between: the guard was there until the end.
        #expect(await lodge.output.rest() == ["stopped"])
        await lodge.child.waitForEnd()
    }

    @Test("a guard that is killed is replaced by one that knows as much")
    func replaced() async throws {
        let problems = Collected<String>()
        let guardian = GuardProcess(executable: try ScriptChild.fixturePath(), problem: problems.append)
        let script = try ScriptChild(
            "trap '' TERM; echo ready; for i in 1 2 3 4 5; do sleep 10; done", guardedBy: guardian)
        #expect(await script.output.next() == "ready")
        let first = try #require(guardian.pid)
        kill(first, SIGKILL)
        #expect(await Strangers.ends(first))
        // The next child tells the new guard, or finds that it is there already.
        let other = try ScriptChild("cat", guardedBy: guardian)
        let second = try #require(guardian.pid)
        #expect(second != first)
        // Stopped with children left, it ends them as if Lodge had been killed.
        await guardian.stop()
        #expect(await script.child.waitForExit() == .signaled(SIGKILL))
        #expect(await other.child.waitForExit() == .signaled(SIGTERM))
        #expect(problems.all.isEmpty)
        await script.child.waitForEnd()
        await other.child.waitForEnd()
    }

    @Test("a guard that cannot be started is told of and does not stop the child")
    func missing() async throws {
        let problems = Collected<String>()
        let guardian = GuardProcess(executable: "/no/such/lodge", problem: problems.append)
        let script = try ScriptChild("exit 0", guardedBy: guardian)
        #expect(await script.child.waitForExit() == .exited(0))
        await script.child.waitForEnd()
        await guardian.stop()
        #expect(
            problems.all.first
                == "processes can outlive a killed Lodge: cannot start '/no/such/lodge': no such file; "
                + "check the path or install it")
    }

    @Test("a guard that ends again and again is given up on")
    func givesUp() async throws {
        let problems = Collected<String>()
        let guardian = GuardProcess(executable: "/bin/false", problem: problems.append)
        let script = try ScriptChild("cat", guardedBy: guardian)
        let told = await problems.wait(for: 1)
        #expect(
            told.first
                == "processes can outlive a killed Lodge: the guard ended 5 times within a minute; restart Lodge")
        await script.child.teardown(.immediate)
        await guardian.stop()
    }

    @Test("the ledger follows what it is told, in whatever pieces")
    func ledger() {
        var ledger = GuardLedger()
        let text = "+a\n+b\n=b 77\n+c\n-a\nnonsense\n=unknown 5\n=c 1\n+bad name\n"
        for byte in text.utf8 { ledger.take([byte]) }
        #expect(ledger.groups == ["b": 77, "c": nil])
        #expect(ledger.replay == "+b\n=b 77\n+c\n")
    }

    @Test("the ledger knows the pipes of a tree for as long as the tree")
    func ledgerOfPipes() {
        var ledger = GuardLedger()
        ledger.take("+a\n~a 500 7 8 9\n~b 500 1\n+c\n~c 5 x\n~c 5 -1\n~c 5\n".utf8)
        #expect(ledger.pipes == ["a": ChildPipes(inodes: [7, 8, 9], since: 500)])
        #expect(ledger.replay == "+a\n~a 500 7 8 9\n+c\n")
        ledger.take(GuardLedger.removing("a").utf8)
        #expect(ledger.pipes.isEmpty)
    }

    @Test("the longest line of pipes fits")
    func longestLine() {
        let marker = String(repeating: "m", count: 64)
        let pipes = ChildPipes(inodes: [.max, .max - 1, .max - 2], since: .max)
        var ledger = GuardLedger()
        ledger.take((GuardLedger.adding(marker) + GuardLedger.naming(pipes, of: marker)).utf8)
        #expect(ledger.pipes == [marker: pipes])
    }

    @Test("a replay makes an equal ledger")
    func replay() {
        var first = GuardLedger()
        first.take("+a\n=a 12\n~a 3 4 5 6\n+b\n".utf8)
        var second = GuardLedger()
        second.take(first.replay.utf8)
        #expect(second == first)
    }
}
