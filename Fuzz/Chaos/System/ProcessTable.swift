// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc

/// A process as `/proc` tells of it. Two with the same pid are the same one only if they started at the same time.
struct ProcessEntry: Hashable {
    let pid: pid_t
    /// In ticks since the start of the system.
    let startTime: UInt64
    let parent: pid_t
    let name: String
    /// Whether it has ended and only waits to be collected.
    let isZombie: Bool

    func isSame(as other: ProcessEntry) -> Bool { pid == other.pid && startTime == other.startTime }
}

/// What runs on this machine, read anew with each question.
enum ProcessTable {
    static func all() -> [ProcessEntry] {
        FileTree.names(in: "/proc").compactMap { pid_t($0) }.compactMap(entry)
    }

    /// Reads `/proc/PID/stat`; nil where there is no such process any more.
    static func entry(_ pid: pid_t) -> ProcessEntry? {
        guard let bytes = try? [UInt8](contentsOf: "/proc/\(pid)/stat"),
            let opening = bytes.firstIndex(of: UInt8(ascii: "(")), let closing = bytes.lastIndex(of: UInt8(ascii: ")")),
            opening < closing
        else { return nil }
        // A name may hold spaces and parentheses; the fields behind it do not.
        let fields = bytes[(closing + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, let parent = pid_t(text(fields[1])), let start = UInt64(text(fields[19])) else {
            return nil
        }
        let state = fields[0].first
        return ProcessEntry(
            pid: pid, startTime: start, parent: parent, name: text(bytes[(opening + 1)..<closing]),
            isZombie: state == UInt8(ascii: "Z") || state == UInt8(ascii: "X"))
    }

    static func isRunning(_ process: ProcessEntry) -> Bool {
        guard let now = entry(process.pid) else { return false }
        return now.isSame(as: process) && !now.isZombie
    }

    static func children(of parent: pid_t) -> [ProcessEntry] { all().filter { $0.parent == parent } }

    /// The processes below one, however deep, as far as their parents still live.
    static func descendants(of root: pid_t) -> [ProcessEntry] {
        let all = all()
        var found: [ProcessEntry] = []
        var parents: Set<pid_t> = [root]
        while !parents.isEmpty {
            let next = all.filter { parents.contains($0.parent) }
            found += next
            parents = Set(next.map(\.pid))
        }
        return found
    }

    /// The processes that run with that text in the arguments or the environment they were started with.
    static func carrying(_ text: String) -> [ProcessEntry] {
        let wanted = Array(text.utf8)
        return all().filter { process in
            guard !process.isZombie else { return false }
            return ["cmdline", "environ"].contains { file in
                (try? [UInt8](contentsOf: "/proc/\(process.pid)/\(file)"))?.firstRange(of: wanted) != nil
            }
        }
    }

    /// How many descriptors a process has open; nil where it is gone.
    static func descriptors(of pid: pid_t) -> Int? {
        guard entry(pid) != nil else { return nil }
        return FileTree.names(in: "/proc/\(pid)/fd").count
    }

    /// The memory of a process that is in use, in KiB.
    static func residentKibibytes(of pid: pid_t) -> Int? {
        guard let bytes = try? [UInt8](contentsOf: "/proc/\(pid)/status") else { return nil }
        let line = text(bytes[...]).split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return line?.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }
    }

    private static func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
}
