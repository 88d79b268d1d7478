// SPDX-License-Identifier: Apache-2.0

import Glibc

/// The trees that the guard answers for, as Lodge tells them line by line.
///
/// `+MARKER` adds a tree, `=MARKER PID` names the process group of one, `-MARKER` removes it. Lines that are none of
/// these are skipped: the guard has nobody left to complain to.
struct GuardLedger: Hashable, Sendable {
    /// The group is nil until it is told, and for a child that shares Lodge's.
    private(set) var groups: [String: pid_t?] = [:]
    private var rest: [UInt8] = []
    /// In bytes; longer than any line that Lodge writes.
    private static let longestLine = 256

    static func adding(_ marker: String) -> String { "+\(marker)\n" }
    static func naming(_ group: pid_t, of marker: String) -> String { "=\(marker) \(group)\n" }
    static func removing(_ marker: String) -> String { "-\(marker)\n" }

    /// All lines that make another guard know the same.
    var replay: String {
        groups.sorted { $0.key < $1.key }.map { marker, group in
            Self.adding(marker) + (group.map { Self.naming($0, of: marker) } ?? "")
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
        case ("-", 1): groups.removeValue(forKey: marker)
        default: return
        }
    }
}
