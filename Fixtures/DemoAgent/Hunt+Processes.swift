// SPDX-License-Identifier: Apache-2.0

import FixtureKit

extension Hunt {
    /// Looks at the environment, arguments, open files and memory of every process that is to be seen and in scope.
    ///
    /// Of its own process only the open files are looked at, which may be inherited: its environment and arguments were
    /// looked at before, and its memory holds what it is looking for.
    mutating func searchProcesses() {
        searchOpenFiles(ProcessState.identifier, "(this process)")
        for name in FileTree.names(in: "/proc") {
            guard let process = Int(name), process != ProcessState.identifier, scope.includes(process) else { continue }
            let command = (try? [UInt8](contentsOf: "/proc/\(process)/comm", limit: 64)) ?? []
            let label = "(process \"\(String(decoding: command.prefix { $0 != 0x0A }, as: UTF8.self))\")"
            look(atView: "/proc/\(process)/environ", "process environment", "process environments", label)
            look(atView: "/proc/\(process)/cmdline", "process command line", "process command lines", label)
            searchOpenFiles(process, label)
            searchMemory(process, label)
        }
    }

    /// Looks at a file of `/proc`. Each is another file, whatever its number says.
    private mutating func look(atView path: String, _ one: String, _ many: String, _ label: String) {
        guard let bytes = try? [UInt8](contentsOf: path, limit: Self.bytesOfFile) else {
            return noteClosed(one, many)
        }
        look(at: bytes, one, many, "\(path) \(label)")
    }

    private mutating func searchOpenFiles(_ process: Int, _ label: String) {
        for number in FileTree.names(in: "/proc/\(process)/fd") {
            let path = "/proc/\(process)/fd/\(number)"
            look(atFile: path, "open file of a process", "open files of processes", "\(path) \(label)")
        }
    }

    private mutating func searchMemory(_ process: Int, _ label: String) {
        let one = "process memory"
        let many = "process memories"
        let path = "/proc/\(process)/mem"
        guard let maps = try? [UInt8](contentsOf: "/proc/\(process)/maps", limit: 4 << 20), !maps.isEmpty,
            let memory = try? Descriptor(reading: path)
        else { return noteClosed(one, many) }
        defer { memory.close() }
        noteLooked(one, many)
        var rest = Self.bytesOfMemory
        for region in MemoryRegion.readable(in: maps) where rest > 0 {
            if isKey(in: region, of: memory, limit: &rest) { return found("\(path) \(label)") }
        }
    }

    /// Looks through one region in steps that overlap by the length of a key.
    private func isKey(in region: MemoryRegion, of memory: Descriptor, limit: inout Int) -> Bool {
        let step = 1 << 20
        var at = region.start
        while at < region.end, limit > 0 {
            let size = Int(min(UInt64(step + KeyMarker.longest), region.end - at))
            // A region may be gone by now, or be a device: then there is nothing to see.
            guard let bytes = try? memory.read(at: at, atMost: size), !bytes.isEmpty else { return false }
            if marker.encoding(in: bytes, plainOnly: true) != nil { return true }
            at += UInt64(step)
            limit -= min(step, size)
        }
        return false
    }
}

/// Which other processes a hunt looks at.
///
/// Without a sandbox `all` is everything that the user runs on the machine, whoever it belongs to: on a machine that is
/// shared, a test names the processes it started itself.
enum ProcessScope {
    case all
    case only(Set<Int>)

    /// Reads `all`, `none` or process ids with commas between them.
    init?(_ text: String) {
        switch text {
        case "all": self = .all
        case "none": self = .only([])
        default:
            let words = text.split(separator: ",", omittingEmptySubsequences: false)
            let numbers = words.compactMap { Int($0) }
            guard numbers.count == words.count else { return nil }
            self = .only(Set(numbers))
        }
    }

    func includes(_ process: Int) -> Bool {
        switch self {
        case .all: true
        case .only(let processes): processes.contains(process)
        }
    }
}

/// A stretch of a process's memory, from a line of `/proc/PID/maps`.
private struct MemoryRegion {
    let start: UInt64
    let end: UInt64
    let isWritable: Bool

    /// The regions that can be read, those that can be written first: there a process keeps what it was told.
    static func readable(in maps: [UInt8]) -> [MemoryRegion] {
        let regions = String(decoding: maps, as: UTF8.self).split(separator: "\n").compactMap(MemoryRegion.init)
        return regions.filter(\.isWritable) + regions.filter { !$0.isWritable }
    }

    private init?(_ line: Substring) {
        let words = line.split(separator: " ", maxSplits: 2)
        let bounds = words.first?.split(separator: "-").compactMap { UInt64($0, radix: 16) } ?? []
        guard words.count > 1, bounds.count == 2, bounds[0] < bounds[1], words[1].hasPrefix("r") else { return nil }
        // The kernel's own pages at the end of the address space are the same for all.
        guard !line.hasSuffix("[vvar]"), !line.hasSuffix("[vsyscall]") else { return nil }
        start = bounds[0]
        end = bounds[1]
        isWritable = words[1].dropFirst().hasPrefix("w")
    }
}
