// SPDX-License-Identifier: Apache-2.0

import Glibc
import Testing

@testable import ChildProcesses

private func entry(
    _ pid: pid_t, parent: pid_t = 1, group: pid_t = 0, session: pid_t = 0, started: UInt64 = 100, alive: Bool = true,
    markers: [String] = [], pipes: Set<UInt64> = []
) -> ProcessEntry {
    ProcessEntry(
        identity: .init(pid: pid, startTime: started), parent: parent, group: group, session: session, isAlive: alive,
        markers: markers, pipes: pipes)
}

@Suite("process tree")
struct ProcessTreeTests {
    private func tree(leadsGroup: Bool = true) -> ProcessTree {
        ProcessTree(root: 10, leadsGroup: leadsGroup, marker: "m", excluded: [1, 5])
    }

    @Test("the root, its group, its session, its marker and all descendants belong")
    func members() {
        var tree = tree()
        let snapshot = [
            entry(10), entry(11, group: 10), entry(12, session: 10), entry(13, markers: ["outer", "m"]),
            entry(14, parent: 13), entry(15, parent: 14), entry(20), entry(21, parent: 20), entry(22, markers: ["x"]),
        ]
        #expect(tree.members(in: snapshot).map(\.pid) == [10, 11, 12, 13, 14, 15])
    }

    @Test("zombies and Lodge itself do not belong")
    func excluded() {
        var tree = tree()
        #expect(tree.members(in: [entry(10, alive: false), entry(5, group: 10, markers: ["m"])]).isEmpty)
    }

    @Test("a shared group is nobody's")
    func sharedGroup() {
        var tree = tree(leadsGroup: false)
        #expect(tree.members(in: [entry(10, group: 5), entry(30, group: 10)]).map(\.pid) == [10])
    }

    @Test("a member that lost its parent is remembered, another with its pid is not")
    func remembered() {
        var tree = tree()
        _ = tree.members(in: [entry(10), entry(11, parent: 10, started: 7)])
        #expect(tree.members(in: [entry(11, parent: 1, started: 7)]).map(\.pid) == [11])
        #expect(tree.members(in: [entry(11, parent: 1, started: 8)]).isEmpty)
    }

    private func treeWithPipes() -> ProcessTree {
        ProcessTree(
            root: 10, leadsGroup: true, marker: "m", pipes: ChildPipes(inodes: [7, 8], since: 50), excluded: [1, 5])
    }

    @Test("who holds a pipe of the child belongs, with its descendants")
    func pipes() {
        var tree = treeWithPipes()
        let snapshot = [entry(11, pipes: [6, 8]), entry(12, parent: 11), entry(13, pipes: [6]), entry(14)]
        #expect(tree.members(in: snapshot).map(\.pid) == [11, 12])
    }

    @Test("who holds a pipe but is older than it, or is Lodge itself, does not belong")
    func foreignPipes() {
        var tree = treeWithPipes()
        let snapshot = [
            entry(11, started: 49, pipes: [7]), entry(5, pipes: [7, 8]), entry(12, started: 50, pipes: [7]),
        ]
        #expect(tree.members(in: snapshot).map(\.pid) == [12])
    }

    @Test("who held a pipe when it was seen belongs without it")
    func pipesLetGo() {
        var tree = treeWithPipes()
        _ = tree.members(in: [entry(11, pipes: [7])])
        #expect(tree.members(in: [entry(11)]).map(\.pid) == [11])
    }

    @Test("of two children each pipe counts from its own time on")
    func pipesOfTwo() {
        var tree = ProcessTree(
            markers: [], groups: [], groupsEnd: nil,
            pipes: [ChildPipes(inodes: [7], since: 50), ChildPipes(inodes: [8], since: 200)], excluded: [1])
        #expect(tree.members(in: [entry(11, pipes: [7]), entry(12, pipes: [8])]).map(\.pid) == [11])
    }

    @Test("a group that ended its validity takes no later process")
    func groupsEnd() {
        var tree = ProcessTree(markers: ["m"], groups: [10], groupsEnd: 50, excluded: [1])
        let snapshot = [entry(11, group: 10, started: 50), entry(12, group: 10, started: 51)]
        #expect(tree.members(in: snapshot).map(\.pid) == [11])
    }

    @Test("a stat line with a name full of parentheses is read")
    func statLine() throws {
        let line = "42 (a) b (c) S 7 8 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 12345 1 1\n"
        let entry = try #require(ProcessEntry(pid: 42, stat: Array(line.utf8)))
        #expect(entry.parent == 7 && entry.group == 8 && entry.session == 9)
        #expect(entry.identity.startTime == 12345 && entry.isAlive)
    }

    @Test("a zombie is not alive, unless it still has threads")
    func zombies() throws {
        func isAlive(_ state: String, threads: Int) throws -> Bool {
            let line = "42 (x) \(state) 7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 \(threads) 0 12345 1 1\n"
            return try #require(ProcessEntry(pid: 42, stat: Array(line.utf8))).isAlive
        }
        #expect(try !isAlive("Z", threads: 1))
        #expect(try isAlive("Z", threads: 3))
        #expect(try isAlive("T", threads: 1))
    }

    @Test("a line that is none is refused", arguments: ["", "42 (x", "42 (x) S 1 2 3", "42 (x) S a b c"])
    func badLine(line: String) {
        #expect(ProcessEntry(pid: 42, stat: Array(line.utf8)) == nil)
    }
}

@Suite("pipe search")
struct PipeSearchTests {
    private func search(_ pipes: ChildPipes...) -> PipeSearch {
        let trees = ProcessTree(
            markers: ["m", "other"], groups: [20], roots: [10, 20], groupsEnd: nil, excluded: [1, 5])
        return PipeSearch(pipes, besides: trees, lodge: 5)
    }
    private let pipes = ChildPipes(inodes: [7], since: 100)

    @Test("descriptors are read of processes that nothing else tells of, started since")
    func candidates() {
        var search = search(pipes)
        let snapshot = [
            entry(10), entry(11, parent: 10), entry(12, markers: ["m"]), entry(13, started: 99),
            entry(14, alive: false), entry(15), entry(16, parent: 15, markers: ["unknown"]),
        ]
        #expect(search.candidates(in: snapshot) == [5, 6])
    }

    @Test("Lodge, its own children and other children's trees are left alone")
    func spared() {
        var search = search(pipes)
        let snapshot = [
            entry(1), entry(5), entry(30, parent: 5), entry(31, group: 20), entry(32, markers: ["other"]),
            entry(33, parent: 32), entry(20),
        ]
        #expect(search.candidates(in: snapshot).isEmpty)
    }

    @Test("nothing is read for a child that inherits its streams")
    func noPipes() {
        var search = search()
        #expect(search.candidates(in: [entry(15)]).isEmpty)
    }

    @Test("both ends of a pipe are found in the process that holds them, and none elsewhere")
    func held() {
        var failure: Int32 = 0
        guard let first = OwnedPipe(error: &failure), let second = OwnedPipe(error: &failure),
            let pipes = ChildPipes(first.reading.number, second.writing.number, error: &failure)
        else {
            Issue.record("no pipes: \(failure)")
            return
        }
        #expect(ProcessTable.heldPipes(of: getpid(), among: (pipes.inodes + [1, .max]).sorted()) == Set(pipes.inodes))
        #expect(ProcessTable.heldPipes(of: getppid(), among: pipes.inodes.sorted()).isEmpty)
    }

    @Test("a descriptor that is not open has no inode")
    func closed() {
        var failure: Int32 = 0
        #expect(ChildPipes(-1, error: &failure) == nil)
        #expect(failure == EBADF)
    }
}

@Suite("tree sweep")
struct TreeSweepTests {
    private func sweep() -> TreeSweep {
        TreeSweep(ProcessTree(root: 10, leadsGroup: true, marker: "m", excluded: [1]))
    }
    private let child = ProcessEntry.Identity(pid: 11, startTime: 100)

    @Test("only two empty scans in a row end it")
    func twoScans() {
        var sweep = sweep()
        let empty = { (sweep: inout TreeSweep) in sweep.observe([], rootHasExited: true, at: .zero) }
        #expect(empty(&sweep) == [.scan(after: .milliseconds(4))])
        _ = sweep.observe([entry(11, group: 10)], rootHasExited: true, at: .zero)
        #expect(empty(&sweep) == [.scan(after: .milliseconds(4))])
        #expect(empty(&sweep) == [.gone])
    }

    @Test("a tree whose root has not exited is not gone")
    func rootRuns() {
        var sweep = sweep()
        for _ in 0..<3 {
            #expect(!sweep.observe([], rootHasExited: false, at: .zero).contains(.gone))
        }
    }

    @Test("observing sends no signal")
    func observing() {
        var sweep = sweep()
        let snapshot = [entry(11, group: 10)]
        #expect(sweep.observe(snapshot, rootHasExited: true, at: .zero) == [.scan(after: .milliseconds(4))])
    }

    @Test("terminating sends SIGTERM once to each, then kills")
    func terminating() {
        var sweep = sweep()
        sweep.terminate(grace: .seconds(1), at: .zero)
        let snapshot = [entry(11, group: 10)]
        #expect(sweep.observe(snapshot, rootHasExited: true, at: .zero).first == .signal(child, SIGTERM))
        let second = sweep.observe(snapshot, rootHasExited: true, at: .milliseconds(500))
        #expect(second == [.scan(after: .milliseconds(8))])
        #expect(sweep.observe(snapshot, rootHasExited: true, at: .seconds(1)).first == .signal(child, SIGKILL))
    }

    @Test("killing is not undone by a later wish to terminate")
    func killStays() {
        var sweep = sweep()
        sweep.kill(at: .zero)
        sweep.terminate(grace: .seconds(1), at: .zero)
        #expect(sweep.observe([entry(11, group: 10)], rootHasExited: true, at: .zero).first == .signal(child, SIGKILL))
    }

    @Test("a tree that outlives the kill is reported once and watched on")
    func stuck() {
        var sweep = sweep()
        sweep.kill(at: .zero)
        let snapshot = [entry(11, group: 10)]
        let late = TreeSweep.killLimit
        for _ in 1..<TreeSweep.leastKillScans {
            let early = sweep.observe(snapshot, rootHasExited: true, at: late)
            #expect(!early.contains(.stuck([11])), "a busy machine scanned late, not often enough")
        }
        #expect(
            sweep.observe(snapshot, rootHasExited: true, at: late)
                == [.signal(child, SIGKILL), .stuck([11]), .scan(after: .seconds(1))])
        #expect(
            sweep.observe(snapshot, rootHasExited: true, at: late + .seconds(1))
                == [.signal(child, SIGKILL), .scan(after: .seconds(1))])
    }
}
