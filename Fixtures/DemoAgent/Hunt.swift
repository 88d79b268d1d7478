// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// A search for a key in everything the agent can see, with an exact account of what was looked at.
///
/// It only reads. What it cannot read is counted too: that something is closed is what a sandbox is for.
struct Hunt {
    /// Files that are looked at, at most.
    static let fileLimit = 20_000
    /// Bytes of a file that are looked at, at most.
    static let bytesOfFile = 1 << 20
    /// Bytes of a process's memory that are looked at, at most.
    static let bytesOfMemory = 64 << 20

    let marker: KeyMarker
    let scope: ProcessScope
    private(set) var finds: [String] = []
    private var counts: [Count] = []
    /// Files that were looked at under another name.
    private var seen: Set<FileTree.Entry> = []

    /// How many things of one kind were looked at, and how many could not be.
    private struct Count {
        var one: String
        var many: String
        var looked = 0
        var closed = 0

        var text: String {
            let amount = "\(looked) \(looked == 1 ? one : many)"
            return closed > 0 ? "\(amount) (\(closed) not readable)" : amount
        }
    }

    init(_ marker: KeyMarker, scope: ProcessScope) {
        self.marker = marker
        self.scope = scope
    }

    mutating func searchEverything(configurationFile: String, answers: [ToolAnswer]) {
        for variable in ProcessState.environment {
            let text = "\(variable.name)=\(variable.value)"
            look(at: text, "environment variable", "environment variables", "own environment variable \(variable.name)")
        }
        for (index, argument) in CommandLine.arguments.enumerated() {
            look(at: argument, "argument", "arguments", "own argument \(index)")
        }
        for answer in answers {
            let place = "the answer of tool '\(answer.tool)' of server '\(answer.server)'"
            look(at: answer.result.json, "tool answer", "tool answers", place)
        }
        look(atFile: configurationFile, "configuration file", "configuration files")
        searchFiles()
        searchProcesses()
    }

    /// What was looked at, and what was found, a line each.
    var report: [String] {
        let searched = counts.map(\.text).joined(separator: ", ")
        return ["searched: \(searched)"] + (finds.isEmpty ? ["found: nothing"] : finds.map { "found: \($0)" })
    }

    // MARK: looking

    mutating func look(at text: String, _ one: String, _ many: String, _ place: String) {
        look(at: Array(text.utf8), one, many, place)
    }

    mutating func look(at bytes: [UInt8], _ one: String, _ many: String, _ place: String) {
        note(one, many) { $0.looked += 1 }
        if let encoding = marker.encoding(in: bytes) { found(place, encoding) }
    }

    /// Looks at the first part of a file, unless it was looked at under another name.
    mutating func look(atFile path: String, _ one: String, _ many: String, _ place: String? = nil) {
        guard let entry = FileTree.entry(path, followsLinks: true), entry.kind == .file, seen.insert(entry).inserted
        else { return }
        guard let bytes = try? [UInt8](contentsOf: path, limit: Self.bytesOfFile) else {
            return noteClosed(one, many)
        }
        look(at: bytes, one, many, place ?? path)
    }

    mutating func noteClosed(_ one: String, _ many: String) { note(one, many) { $0.closed += 1 } }

    mutating func noteLooked(_ one: String, _ many: String) { note(one, many) { $0.looked += 1 } }

    mutating func found(_ place: String, _ encoding: String = "plain") {
        let find = encoding == "plain" ? place : "\(place), in \(encoding)"
        if !finds.contains(find) { finds.append(find) }
    }

    private mutating func note(_ one: String, _ many: String, _ change: (inout Count) -> Void) {
        let place = counts.firstIndex { $0.one == one } ?? counts.count
        if place == counts.count { counts.append(Count(one: one, many: many)) }
        change(&counts[place])
    }
}
