// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Watches a process tree until nothing of it is left, and ends it when told to.
///
/// It decides only; the owner scans /proc and sends the signals. It reads no clock: callers pass `now`.
///
/// 1. A tree is gone only after two scans in a row found nothing, since one scan can miss a process that moves.
/// 2. While killing, every scan kills all it finds, so a tree that forks meanwhile is caught by the next one.
struct TreeSweep: Sendable {
    /// What is done with members that a scan finds.
    enum Mode: Hashable, Sendable {
        /// They are left alone. Can transition to `terminating` and `killing`.
        case observing
        /// Each gets SIGTERM once, until the time is over. Can transition to `killing`.
        case terminating(until: Duration)
        /// Each gets SIGKILL in every scan. After `until`, and enough scans, the owner is told once of those that cannot
        /// be killed.
        case killing(until: Duration)
    }

    /// What the owner does next.
    enum Action: Hashable, Sendable {
        case signal(ProcessEntry.Identity, Int32)
        case scan(after: Duration)
        /// The last action: nothing is left.
        case gone
        /// The tree outlived the kill; scans go on, slowly, until it is gone.
        case stuck([pid_t])
    }

    /// How long killing may last before it is reported: longer only with processes in uninterruptible sleep.
    static let killLimit: Duration = .milliseconds(1500)
    /// How many scans must have killed before that: on a machine that is too busy to scan, time alone says nothing.
    static let leastKillScans = 8
    private static let firstDelay: Duration = .milliseconds(4)
    private static let longestDelay: Duration = .milliseconds(32)
    private static let stuckDelay: Duration = .seconds(1)

    private(set) var mode: Mode = .observing
    private var tree: ProcessTree
    private var terminated: Set<ProcessEntry.Identity> = []
    private var emptyScans = 0
    private var killScans = 0
    private var delay = Self.firstDelay
    private var isStuck = false

    init(_ tree: ProcessTree) { self.tree = tree }

    /// Answers who belongs to the tree now, and remembers them.
    mutating func members(in snapshot: [ProcessEntry]) -> [ProcessEntry] { tree.members(in: snapshot) }

    /// Gives every member SIGTERM, and SIGKILL after `grace`. Does nothing if that or more has begun.
    mutating func terminate(grace: Duration, at now: Duration) {
        guard mode == .observing else { return }
        change(to: .terminating(until: now + grace))
    }

    /// Kills every member from the next scan on. Does nothing if that has begun.
    mutating func kill(at now: Duration) {
        if case .killing = mode { return }
        change(to: .killing(until: now + Self.killLimit))
    }

    private mutating func change(to mode: Mode) {
        self.mode = mode
        delay = Self.firstDelay
    }

    /// Takes a scan that began after the last action was done.
    ///
    /// - Parameter rootHasExited: while false, the tree is not gone even if the scan shows nothing.
    mutating func observe(_ snapshot: [ProcessEntry], rootHasExited: Bool, at now: Duration) -> [Action] {
        let members = tree.members(in: snapshot)
        emptyScans = members.isEmpty && rootHasExited ? emptyScans + 1 : 0
        if emptyScans >= 2 { return [.gone] }
        if emptyScans == 1 { return [.scan(after: Self.firstDelay)] }
        if case .terminating(let end) = mode, now >= end { kill(at: now) }
        return signals(to: members) + next(members, at: now)
    }

    private mutating func signals(to members: [ProcessEntry]) -> [Action] {
        switch mode {
        case .observing: []
        case .terminating:
            members.filter { terminated.insert($0.identity).inserted }.map { .signal($0.identity, SIGTERM) }
        case .killing: members.map { .signal($0.identity, SIGKILL) }
        }
    }

    private mutating func next(_ members: [ProcessEntry], at now: Duration) -> [Action] {
        if case .killing = mode { killScans += 1 }
        if case .killing(let end) = mode, now >= end, killScans >= Self.leastKillScans {
            let report: [Action] = isStuck ? [] : [.stuck(members.map(\.pid))]
            isStuck = true
            return report + [.scan(after: Self.stuckDelay)]
        }
        defer { delay = min(Self.longestDelay, delay * 2) }
        return [.scan(after: delay)]
    }
}
