// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The trees that the guard answers for, as Lodge tells them line by line.
///
/// `+MARKER` adds a tree, `=MARKER PID` names the process group of one, `~MARKER SINCE INODE…` its pipes and when they
/// were made, `-MARKER` removes it. Lines that are none of these are skipped: the guard has nobody left to complain to.
struct GuardLedger: Hashable, Sendable {
    /// The group is nil until it is told, and for a child that shares Lodge's.
    private(set) var groups: [String: pid_t?] = [:]
    /// Of the trees in `groups`; none for a child that inherits its streams.
    private(set) var pipes: [String: ChildPipes] = [:]
    private var rest: [UInt8] = []
    /// In bytes; longer than any line that Lodge writes.
    private static let longestLine = 256

    static func adding(_ marker: String) -> String { "+\(marker)\n" }
    static func naming(_ group: pid_t, of marker: String) -> String { "=\(marker) \(group)\n" }
    static func naming(_ pipes: ChildPipes, of marker: String) -> String {
        "~\(marker) \(([pipes.since] + pipes.inodes).map(String.init).joined(separator: " "))\n"
    }
    static func removing(_ marker: String) -> String { "-\(marker)\n" }

    /// All lines that make another guard know the same.
    var replay: String {
        groups.sorted { $0.key < $1.key }.map { marker, group in
            Self.adding(marker) + (pipes[marker].map { Self.naming($0, of: marker) } ?? "")
                + (group.map { Self.naming($0, of: marker) } ?? "")
        }.joined()
    }

    mutating func take(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte != UInt8(ascii: "\n") {
                if rest.count < Self.longestLine { rest.append(byte) }
                continue
            }
            takeLine(String(decoding: rest, as: UTF8.self))
            rest.removeAll(keepingCapacity: true)
        }
    }

    private mutating func takeLine(_ line: String) {
        let fields = line.dropFirst().split(separator: " ")
        guard let marker = fields.first.map(String.init), ProcessMarker.isValid(marker) else { return }
        switch (line.first, fields.count) {
        case ("+", 1): if groups[marker] == nil { groups.updateValue(nil, forKey: marker) }
        case ("=", 2):
            guard groups[marker] != nil, let group = pid_t(fields[1]), group > 1 else { return }
            groups.updateValue(group, forKey: marker)
        case ("~", 3...):
            let numbers = fields.dropFirst().compactMap { UInt64($0) }
            guard groups[marker] != nil, numbers.count == fields.count - 1 else { return }
            pipes[marker] = ChildPipes(inodes: Array(numbers.dropFirst()), since: numbers[0])
        case ("-", 1):
            groups.removeValue(forKey: marker)
            pipes.removeValue(forKey: marker)
        default: return
        }
    }
}
