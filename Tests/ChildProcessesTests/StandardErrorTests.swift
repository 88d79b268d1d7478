// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

@Suite("standard error", .timeLimit(.minutes(1)))
struct StandardErrorTests {
    @Test("lines reach the sink in order and the tail")
    func lines() async throws {
        let script = try ScriptChild("echo one >&2; echo two >&2; exit 1")
        #expect(await script.child.waitForExit() == .exited(1))
        #expect(script.errors.all == ["one", "two"])
        #expect(script.child.stderrTail == ["one", "two"])
    }

    @Test("the last words of a dying child are there when its exit is told, even without a newline")
    func lastWords() async throws {
        for round in 0..<20 {
            let script = try ScriptChild("printf 'panic: \(round)' >&2; kill -9 $$")
            #expect(await script.child.waitForExit() == .signaled(SIGKILL))
            #expect(script.child.stderrTail == ["panic: \(round)"])
        }
    }

    @Test("last words are not waited for when a grandchild holds the pipe open")
    func grandchildHoldsPipe() async throws {
        let script = try ScriptChild("setsid sleep 30 & echo last >&2; exit 4")
        #expect(await script.child.waitForExit() == .exited(4))
        #expect(script.child.stderrTail == ["last"])
        #expect(await script.child.waitForEnd().isEmpty)
    }

    @Test("a flood of 100 MB blocks nobody and stays bounded")
    func flood() async throws {
        let script = try ScriptChild("yes 'a line of a flood that nobody reads' | head -c 100000000 >&2; echo end >&2")
        #expect(await script.child.waitForExit() == .exited(0))
        await script.child.waitForEnd()
        let total = 100_000_000 / 36 + 1
        let summaries = script.errors.all.filter { $0.hasPrefix("… ") }
        let dropped = summaries.compactMap { Int($0.dropFirst(2).prefix { $0.isNumber }) }.reduce(0, +)
        let passed = script.errors.all.count - summaries.count
        #expect(!summaries.isEmpty)
        #expect(passed < 1000 + 200 * 60)
        #expect(abs(dropped + passed - total) <= 1)
        #expect(script.child.stderrTail.count == 64)
        #expect(script.child.stderrTail.last?.hasSuffix("end") == true)
    }

    @Test("a line of 20 MB is cut and the next one is whole")
    func longLine() async throws {
        let script = try ScriptChild("head -c 20000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo next >&2")
        #expect(await script.child.waitForExit() == .exited(0))
        await script.child.waitForEnd()
        #expect(script.errors.all == [String(repeating: "x", count: 8192) + " … (line cut)", "next"])
    }

    @Test("stray output is kept for the upper layer")
    func strayOutput() async throws {
        let script = try ScriptChild("exit 0")
        for number in 0..<100 { script.child.recordStrayOutput("garbage \(number)".utf8) }
        #expect(script.child.strayOutputTail.count == 64)
        #expect(script.child.strayOutputTail.last == "garbage 99")
        await script.child.waitForEnd()
    }
}
