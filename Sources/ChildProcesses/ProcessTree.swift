// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Says which processes belong to one child, or to several.
///
/// A process belongs if it is the child, is in the child's group or session, carries the child's marker, was seen to
/// belong before, holds a pipe of the child and started after it, or descends from one that belongs.
///
/// What escapes is a process that has, before anybody looked, cleared its environment *and* left the group and session
/// *and* lost its parent *and* closed all three pipes, or keeps its descriptors from being read: but for root, those of
/// other users and of processes that are not dumpable cannot be. Where Lodge is itself what orphans are given to, as
/// process 1 of a container, the pipes of an orphan do not count (`PipeSearch`).
///
/// Accepted: a process outside the tree that started after the child and to which the child passed one of its pipes on
/// purpose, as through a socket, is taken for a member and killed. It is not if another child's tree has it.
struct ProcessTree: Sendable {
    private let markers: Set<String>
    /// Pids that lead a group, or a session, of which every process belongs.
    private let groups: Set<pid_t>
    private let roots: Set<pid_t>
    /// By inode: the start time from which on a holder of that pipe belongs.
    private let pipes: [UInt64: UInt64]
    /// Members of a group that started later do not belong; in clock ticks since the system started.
    private let groupsEnd: UInt64?
    /// Never members, whatever they look like.
    private let excluded: Set<pid_t>
    /// Everything that ever belonged and is still alive.
    private var known: Set<ProcessEntry.Identity> = []

    /// - Parameter root: the child itself, as long as its pid is not collected.
    init(
        root: pid_t, leadsGroup: Bool, marker: String, pipes: ChildPipes? = nil, excluded: Set<pid_t> = [1, getpid()]
    ) {
        self.init(
            markers: [marker], groups: leadsGroup ? [root] : [], roots: [root], groupsEnd: nil,
            pipes: pipes.map { [$0] } ?? [], excluded: excluded)
    }

    init(
        markers: Set<String>, groups: Set<pid_t>, roots: Set<pid_t> = [], groupsEnd: UInt64?, pipes: [ChildPipes] = [],
        excluded: Set<pid_t> = [1, getpid()]
    ) {
        self.markers = markers
        self.groups = groups
        self.roots = roots
        self.groupsEnd = groupsEnd
        // Should two children be told to have one pipe, the later one's word is the narrower.
        self.pipes = Dictionary(
            pipes.flatMap { pipes in pipes.inodes.map { ($0, pipes.since) } }, uniquingKeysWith: max)
        self.excluded = excluded
    }

    /// Answers the members that are alive, and remembers them.
    mutating func members(in snapshot: [ProcessEntry]) -> [ProcessEntry] {
        var children: [pid_t: [ProcessEntry]] = [:]
        for entry in snapshot where entry.isAlive { children[entry.parent, default: []].append(entry) }
        var found: [pid_t: ProcessEntry] = [:]
        var frontier = snapshot.filter { $0.isAlive && belongsByItself($0) }
        while let entry = frontier.popLast() {
            guard !excluded.contains(entry.pid), found.updateValue(entry, forKey: entry.pid) == nil else { continue }
            frontier += children[entry.pid] ?? []
        }
        known = Set(found.values.map(\.identity))
        return found.values.sorted { $0.pid < $1.pid }
    }

    private func belongsByItself(_ entry: ProcessEntry) -> Bool {
        if roots.contains(entry.pid) || known.contains(entry.identity) { return true }
        if entry.markers.contains(where: markers.contains) { return true }
        if entry.pipes.contains(where: { pipes[$0].map { entry.identity.startTime >= $0 } ?? false }) { return true }
        guard groups.contains(entry.group) || groups.contains(entry.session) else { return false }
        return groupsEnd.map { entry.identity.startTime <= $0 } ?? true
    }
}
