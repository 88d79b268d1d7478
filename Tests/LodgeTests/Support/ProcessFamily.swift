// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The processes below one process at one moment, so that it can be told later which of them are still there.
///
/// A process is known by its pid and the time of its start, so another one with its pid is not taken for it.
struct ProcessFamily: Sendable {
    struct Member: Hashable, Sendable {
        let pid: Int32
        let parent: Int32
        let group: Int32
        let name: String
        let startTime: UInt64
        let isAlive: Bool

        /// Nil when there is no such process.
        init?(pid: Int32) {
            guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")")
            else { return nil }
            // proc_pid_stat(5): the state is the third field, the parent the fourth, the start time the 22nd.
            let fields = text[text.index(after: close)...].split(separator: " ")
            guard fields.count > 19, let parent = Int32(fields[1]), let group = Int32(fields[2]),
                let startTime = UInt64(fields[19])
            else { return nil }
            self.pid = pid
            self.parent = parent
            self.group = group
            self.startTime = startTime
            name = String(text[text.index(after: open)..<close])
            isAlive = fields[0] != "Z" && fields[0] != "X"
        }

        var arguments: [String] {
            let bytes = (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/cmdline"))) ?? Data()
            return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        }

        var environment: [String] {
            let bytes = (try? Data(contentsOf: URL(filePath: "/proc/\(pid)/environ"))) ?? Data()
            return bytes.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        }

        /// The file of the program; nil once it has ended.
        var program: String? { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(pid)/exe") }

        func kill() { _ = Foundation.kill(pid, SIGKILL) }
    }

    let members: [Member]

    /// Nobody.
    init() { members = [] }

    private init(_ members: [Member]) { self.members = members }

    /// The family and one that is no descendant any more.
    func adding(_ member: Member) -> ProcessFamily { ProcessFamily(members + [member]) }

    /// The descendants of a process, itself not among them.
    init(of root: Int32) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        let everybody = names.compactMap { Int32($0) }.compactMap(Member.init)
        let children = Dictionary(grouping: everybody, by: \.parent)
        var found: [Member] = []
        var frontier = children[root] ?? []
        while let member = frontier.popLast() {
            found.append(member)
            frontier += children[member.pid] ?? []
        }
        members = found
    }

    /// Those that are still alive.
    var survivors: [Member] {
        members.filter { member in
            guard let now = Member(pid: member.pid) else { return false }
            return now.isAlive && now.startTime == member.startTime
        }
    }

    /// The processes below one of the family.
    func below(_ pid: Int32) -> [Member] {
        let children = members.filter { $0.parent == pid }
        return children + children.flatMap { below($0.pid) }
    }
}
