// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Finds out which processes hold the pipes of certain children, for a scan that is to tell who belongs to them.
///
/// Reading descriptors costs more than the rest of a scan, so it is done only for processes of which it can matter. The
/// others are spared, not only for speed:
///
/// 1. Lodge itself, which holds the other ends, and its own children: one that is just being started has, until it runs
///    its program, copies of all that Lodge holds.
/// 2. Processes that started before the pipes were made. They cannot descend from the child; they were given a pipe on
///    purpose, as a master connection of ssh is by those that share it.
/// 3. Processes that group, parents or marker show to be in the tree of some child, of this one or of another.
struct PipeSearch {
    private let inodes: [UInt64]
    private let since: UInt64
    /// All trees whose members are known without their pipes.
    private var trees: ProcessTree
    private let lodge: pid_t

    /// - Parameter lodge: the process of rule 1, if it lives.
    init(_ pipes: [ChildPipes], besides trees: ProcessTree, lodge: pid_t = getpid()) {
        inodes = Set(pipes.flatMap(\.inodes)).sorted()
        since = pipes.map(\.since).min() ?? .max
        self.trees = trees
        self.lodge = lodge
    }

    /// Answers where in a scan the processes are whose descriptors have to be read.
    mutating func candidates(in snapshot: [ProcessEntry]) -> [Int] {
        guard !inodes.isEmpty else { return [] }
        let members = Set(trees.members(in: snapshot).map(\.pid))
        return snapshot.indices.filter { index in
            let entry = snapshot[index]
            return entry.isAlive && entry.identity.startTime >= since && entry.pid != 1 && entry.pid != lodge
                && entry.parent != lodge && !members.contains(entry.pid)
        }
    }

    /// Notes in a scan which of the pipes each candidate holds.
    mutating func complete(_ snapshot: inout [ProcessEntry]) {
        for index in candidates(in: snapshot) {
            snapshot[index].pipes = ProcessTable.heldPipes(of: snapshot[index].pid, among: inodes)
        }
    }
}
