// SPDX-License-Identifier: Apache-2.0

import Glibc
import Synchronization
import Testing

@testable import ChildProcesses

/// A clock whose sleeps are over at once, and which remembers them.
final class InstantClock: Clock {
    struct Instant: InstantProtocol {
        var offset: Duration
        func advanced(by duration: Duration) -> Self { Self(offset: offset + duration) }
        func duration(to other: Self) -> Duration { other.offset - offset }
        static func < (left: Self, right: Self) -> Bool { left.offset < right.offset }
    }
    private let state = Mutex((now: Duration.zero, slept: [Duration]()))
    var now: Instant { Instant(offset: state.withLock { $0.now }) }
    var minimumResolution: Duration { .nanoseconds(1) }
    var slept: [Duration] { state.withLock { $0.slept } }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        state.withLock { state in
            state.now = max(state.now, deadline.offset)
            state.slept.append(deadline.offset)
        }
    }
}

@Suite("teardown", .timeLimit(.minutes(1)))
struct TeardownTests {
    private let quick: [TeardownStep] = [
        .closeStandardInput, .wait(.milliseconds(100)), .signalGroup(SIGTERM), .wait(.milliseconds(100)), .killTree,
    ]

    @Test("a child that ends with its input ends at once, without a signal")
    func ordered() async throws {
        let script = try ScriptChild("echo ready; cat; exit 6")
        #expect(await script.output.next() == "ready")
        let report = await script.child.teardown([.closeStandardInput, .wait(.seconds(50))])
        #expect(report == TeardownReport(status: .exited(6), survivors: []))
    }

    @Test("the owner of a taken standard input is asked to close it")
    func takenInput() async throws {
        let script = try ScriptChild("echo ready; cat; exit 6")
        let descriptor = Mutex<Int32>(-1)
        let asked = Collected<Int>()
        let input = try #require(
            script.child.takeStandardInput {
                asked.append(1)
                close(descriptor.withLock { $0 })
            })
        descriptor.withLock { $0 = input }
        #expect(await script.output.next() == "ready")
        #expect(await script.child.teardown([.closeStandardInput, .wait(.seconds(50))]).status == .exited(6))
        #expect(asked.all == [1])
    }

    @Test("the standard steps are one second, TERM, two seconds, KILL")
    func standardSteps() async throws {
        let script = try ScriptChild("trap '' TERM; echo ready; for i in 1 2 3 4 5; do sleep 10; done")
        #expect(await script.output.next() == "ready")
        let clock = InstantClock()
        let report = await script.child.teardown(clock: clock)
        #expect(report == TeardownReport(status: .signaled(SIGKILL), survivors: []))
        #expect(clock.slept == [.seconds(1), .seconds(3)])
    }

    @Test("a child and a daemon of its own that ignore SIGTERM are gone by the real clock too")
    func realClock() async throws {
        let script = try ScriptChild(
            """
            trap '' TERM INT HUP; (trap '' TERM; setsid sleep 50) &
            echo ready; for i in 1 2 3 4 5; do sleep 10; done
            """)
        #expect(await script.output.next() == "ready")
        let report = await script.child.teardown()
        #expect(report == TeardownReport(status: .signaled(SIGKILL), survivors: []))
        #expect(Strangers.carrying(script.child.marker).isEmpty)
    }

    @Test("SIGTERM reaches the whole group")
    func wholeGroup() async throws {
        let script = try ScriptChild(
            """
            sh -c 'trap "echo inner" TERM; echo ready; for i in $(seq 1000); do sleep 0.05; done' &
            trap 'exit 0' TERM; wait
            """)
        #expect(await script.output.next() == "ready")
        await script.child.teardown(quick)
        #expect(await script.output.rest().first == "inner")
    }

    @Test("grandchildren, daemons and processes deaf to SIGTERM are all gone")
    func wholeTree() async throws {
        let script = try ScriptChild(
            """
            sleep 50 &
            echo forked $!
            (setsid sh -c 'trap "" TERM HUP; (sleep 50 & echo daemon $!) ; exit' </dev/null 2>/dev/null &)
            sleep 50 2>/dev/null &
            cat
            """)
        let forked = try await script.pid(named: "forked")
        let daemon = try await script.pid(named: "daemon")
        let entry = try #require(ProcessTable.entry(of: daemon))
        #expect(entry.session != script.child.pid && entry.group != script.child.pid)
        #expect(await script.child.teardown(quick).survivors.isEmpty)
        #expect(!Strangers.isAlive(forked))
        #expect(!Strangers.isAlive(daemon))
        #expect(Strangers.carrying(script.child.marker).isEmpty)
    }

    @Test("a grandchild that cleared its environment and left the group is found through its parent")
    func clearedEnvironment() async throws {
        let script = try ScriptChild("env -i /usr/bin/setsid -w /bin/sleep 50 & echo wrapper $!; cat")
        let wrapper = try await script.pid(named: "wrapper")
        // The wrapper stays the parent; the sleeping process below it has no marker and a session of its own.
        #expect(await script.child.teardown(.immediate).survivors.isEmpty)
        #expect(!Strangers.isAlive(wrapper))
        #expect(!ProcessTable.snapshot().contains { $0.isAlive && $0.parent == wrapper })
    }

    @Test("a tree that forks all the time is caught")
    func forking() async throws {
        let script = try ScriptChild(
            """
            trap '' TERM
            fork() { for i in $(seq 500); do (setsid sh -c 'sleep 0.2; setsid sleep 20 &' &) ; sleep 0.01; done; }
            fork & echo ready; fork
            """)
        #expect(await script.output.next() == "ready")
        #expect(await script.child.teardown(quick).survivors.isEmpty)
        #expect(Strangers.carrying(script.child.marker).isEmpty)
    }

    @Test("a stopped child is killed too")
    func stopped() async throws {
        let script = try ScriptChild("echo ready; kill -STOP $$; cat")
        #expect(await script.output.next() == "ready")
        #expect(await script.child.teardown(quick).status == .signaled(SIGKILL))
    }

    @Test("a child that closed its output and goes on is alive until it is torn down")
    func closedOutput() async throws {
        let script = try ScriptChild("echo ready >&2; exec >&-; exec 2>&-; sleep 50")
        #expect(await script.output.next() == nil)
        #expect(script.child.exitStatus == nil)
        #expect(Strangers.isAlive(script.child.pid))
        #expect(await script.child.teardown(quick).status == .signaled(SIGTERM))
    }

    @Test("what a child that ended by itself left running is ended")
    func leftovers() async throws {
        let script = try ScriptChild("(trap '' TERM; setsid sleep 50 & echo leftover $!; wait) & sleep 0.2; exit 9")
        let leftover = try await script.pid(named: "leftover")
        #expect(await script.child.waitForExit() == .exited(9))
        #expect(await script.child.waitForEnd().isEmpty)
        #expect(!Strangers.isAlive(leftover))
        #expect(Strangers.carrying(script.child.marker).isEmpty)
    }

    @Test("cancellation does not cut a teardown short")
    func cancelled() async throws {
        let script = try ScriptChild("trap '' TERM; echo ready; for i in 1 2 3 4 5; do sleep 10; done")
        #expect(await script.output.next() == "ready")
        let teardown = Task { await script.child.teardown(quick) }
        teardown.cancel()
        #expect(await teardown.value == TeardownReport(status: .signaled(SIGKILL), survivors: []))
    }

    @Test("a second teardown joins the first, and one that kills at once hurries it")
    func joined() async throws {
        let script = try ScriptChild("trap '' TERM; echo ready; for i in 1 2 3 4 5; do sleep 10; done")
        #expect(await script.output.next() == "ready")
        let patient: [TeardownStep] = [.wait(.seconds(3600))]
        async let first = script.child.teardown(patient)
        async let second = script.child.teardown(patient)
        let third = await script.child.reapTree()
        #expect(third.status == .signaled(SIGKILL))
        #expect(await [first, second] == [third, third])
    }

    @Test("a teardown after the end answers at once")
    func afterEnd() async throws {
        let script = try ScriptChild("exit 2")
        await script.child.waitForEnd()
        #expect(await script.child.teardown() == TeardownReport(status: .exited(2), survivors: []))
    }

    @Test("fifty children at once are all gone")
    func fifty() async throws {
        let scripts = try (0..<50).map { _ in
            try ScriptChild("trap '' TERM; (setsid sleep 50 &) ; echo ready; for i in 1 2 3 4 5; do sleep 10; done")
        }
        for script in scripts { #expect(await script.output.next() == "ready") }
        let reports = await withTaskGroup(of: TeardownReport.self) { group in
            for script in scripts { group.addTask { await script.child.teardown(quick) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(reports == Array(repeating: TeardownReport(status: .signaled(SIGKILL), survivors: []), count: 50))
        let markers = Set(scripts.map(\.child.marker))
        #expect(!ProcessTable.snapshot().contains { $0.isAlive && !markers.isDisjoint(with: $0.markers) })
    }

    @Test("neither failed nor finished spawns leave a descriptor open")
    func descriptors() async throws {
        let script = try ScriptChild.fixture("descriptors")
        #expect(await script.output.rest() == ["failed spawns: 0", "spawns: 0"])
        await script.child.waitForEnd()
    }

    @Test("in a group that is Lodge's own, a signal reaches the child's whole tree behind a wrapper, and Lodge not")
    func sharedGroup() async throws {
        let script = try ScriptChild.fixture(
            "shared",
            #"""
            trap '' TERM
            env --default-signal=TERM /bin/sh -c '
                trap "echo agent; exit 5" TERM; echo ready; while :; do sleep 60 & wait $!; done'
            exit $?
            """#)
        #expect(await script.output.next() == "ready")
        script.child.closeStandardInput()
        #expect(await script.output.rest() == ["agent"])
        // The launcher has the default for TERM: had it been told, it would be gone by a signal.
        let status = await script.child.waitForExit()
        #expect(status == .exited(5))
        await script.child.waitForEnd()
    }
}
