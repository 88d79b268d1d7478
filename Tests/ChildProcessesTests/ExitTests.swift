// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

/// Swift Testing has a type of that name too.
private typealias ExitStatus = ChildProcesses.ExitStatus

@Suite("exit", .timeLimit(.minutes(1)))
struct ExitTests {
    @Test("an exit status is told as it is")
    func status() async throws {
        let script = try ScriptChild("exit 3")
        #expect(await script.child.waitForExit() == .exited(3))
        #expect(script.child.exitStatus == .exited(3))
    }

    @Test("a signal is told as a signal")
    func signal() async throws {
        let script = try ScriptChild("kill -9 $$")
        #expect(await script.child.waitForExit() == .signaled(SIGKILL))
    }

    @Test("statuses describe themselves")
    func descriptions() {
        #expect(ExitStatus.exited(3).description == "exit status 3")
        #expect(ExitStatus.signaled(9).description == "signal 9 (SIGKILL)")
        #expect(ExitStatus.signaled(40).description == "signal 40")
        #expect(ExitStatus.signaled(15).shellStatus == 143)
    }

    @Test("many waiters and callbacks are all told, before and after the exit")
    func manyWaiters() async throws {
        let script = try ScriptChild("read line; exit 5")
        let told = Collected<ExitStatus>()
        for _ in 0..<3 { script.child.onExit(told.append) }
        let statuses = await withTaskGroup(of: ExitStatus.self) { group in
            for _ in 0..<20 { group.addTask { await script.child.waitForExit() } }
            script.child.closeStandardInput()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: .exited(5), count: 20))
        script.child.onExit(told.append)
        #expect(await told.wait(for: 4) == Array(repeating: .exited(5), count: 4))
        #expect(await script.child.waitForExit() == .exited(5))
    }

    @Test("a signal can be sent to the child")
    func send() async throws {
        let script = try ScriptChild("echo ready; exec cat")
        #expect(await script.output.next() == "ready")
        script.child.send(SIGUSR1)
        #expect(await script.child.waitForExit() == .signaled(SIGUSR1))
        await script.child.waitForEnd()
        // The pid means nobody by now, and nothing happens.
        script.child.send(SIGKILL)
        script.child.sendToGroup(SIGKILL)
    }

    @Test("a wait for the end of the tree gives way to cancellation")
    func cancelledWait() async throws {
        let script = try ScriptChild("cat")
        let waiting = Task { await script.child.waitForEndOrCancellation() }
        waiting.cancel()
        #expect(await waiting.value == nil)
        await script.child.teardown(.immediate)
    }

    @Test("an agent that stops itself is followed and then continued")
    func followsStops() async throws {
        let script = try ScriptChild("echo ready; kill -STOP $$; echo continued")
        let stops = Collected<Int>()
        script.child.followStops { stops.append(1) }
        #expect(await script.output.rest() == ["ready", "continued"])
        #expect(stops.all == [1])
        await script.child.waitForEnd()
    }

    @Test("Lodge stops with its agent and both go on together")
    func stopsWithAgent() async throws {
        let script = try ScriptChild.fixture("stops", "echo agent $$; kill -STOP $$; echo continued; exit 7")
        let agent = try await script.pid(named: "agent")
        #expect(agent != script.child.pid)
        let stopped = Collected<Int>()
        // Once the stand-in has stopped, its own parent continues it, as a shell does on `fg`.
        script.child.followStops { stopped.append(1) }
        #expect(await script.output.rest() == ["continued"])
        #expect(stopped.all == [1])
        #expect(await script.child.waitForExit() == .exited(7))
    }

    @Test("an agent behind wrappers that stops itself is found, and continued once lodge goes on")
    func followsStopsBehindWrappers() async throws {
        // Each shell waits for the next, as the programs of a sandbox do; none of them stops.
        let script = try ScriptChild("sh -c \"sh -c 'echo ready; kill -STOP \\$\\$; echo continued'; exit 0\"; exit 0")
        let stops = Collected<Int>()
        script.child.followStops(behind: 2) { stops.append(1) }
        #expect(await script.output.rest() == ["ready", "continued"])
        #expect(stops.all == [1])
        await script.child.waitForEnd()
    }
}
