// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Glibc

/// One process as a scan saw it.
struct ProcessEntry: Hashable, Sendable {
    /// What tells this process from a later one with the same pid.
    struct Identity: Hashable, Sendable {
        var pid: pid_t
        /// In clock ticks since the system started (proc_pid_stat(5), field 22).
        var startTime: UInt64
    }

    var identity: Identity
    var parent: pid_t
    var group: pid_t
    var session: pid_t
    /// False for one that only waits to be collected by its parent.
    var isAlive: Bool
    /// Whether a signal such as SIGTSTP holds it.
    var isStopped = false
    /// The markers in its environment, outermost first; none if it cannot be read.
    var markers: [String] = []
    /// The inodes of the pipes it holds, as far as a `PipeSearch` looked for them.
    var pipes: Set<UInt64> = []

    var pid: pid_t { identity.pid }
}

/// Reads the process table of the system from /proc.
///
/// A scan is not one moment: a process that moves during it can be missed, so "none left" is believed only twice in a
/// row. Processes that end during the scan are left out.
enum ProcessTable {
    /// In bytes; more of an environment is not read. Lodge puts the marker first.
    private static let environmentLimit = 256 * 1024

    static func snapshot() -> [ProcessEntry] {
        var buffer = [UInt8](repeating: 0, count: environmentLimit)
        return listPids().compactMap { pid in
            guard var entry = entry(of: pid, buffer: &buffer) else { return nil }
            if entry.isAlive { entry.markers = markers(of: pid, buffer: &buffer) }
            return entry
        }
    }

    /// Answers what is known of one process, without its markers; nil when there is none.
    static func entry(of pid: pid_t) -> ProcessEntry? {
        var buffer = [UInt8](repeating: 0, count: 1024)
        return entry(of: pid, buffer: &buffer)
    }

    /// Answers the process so many generations below another, as long as each on the way has one child only.
    static func onlyDescendant(of pid: pid_t, generations: Int) -> ProcessEntry? {
        var pid = pid
        var buffer = [UInt8](repeating: 0, count: 256)
        for _ in 0..<generations {
            let count = read("task/\(pid)/children", of: pid, into: &buffer)
            // The file is not there where the kernel was built without it (CONFIG_PROC_CHILDREN).
            guard count > 0 else { return nil }
            let children = String(decoding: Array(buffer[..<count]), as: UTF8.self).split(separator: " ")
            guard children.count == 1, let child = pid_t(children[0]) else { return nil }
            pid = child
        }
        return entry(of: pid)
    }

    /// Answers which of some pipes, sorted by inode, a process holds; none if its descriptors cannot be read.
    ///
    /// Linux lets a thread have descriptors of its own (unshare(2)); only those of the first thread are looked at.
    static func heldPipes(of pid: pid_t, among inodes: [UInt64]) -> Set<UInt64> {
        var held = [UInt8](repeating: 0, count: inodes.count)
        // Sound: both buffers have as many elements as the call is told.
        let found = unsafe inodes.withUnsafeBufferPointer { inodes in
            unsafe held.withUnsafeMutableBufferPointer { held in
                unsafe cps_held_pipes(pid, inodes.baseAddress, inodes.count, held.baseAddress)
            }
        }
        return found > 0 ? Set(inodes.indices.filter { held[$0] != 0 }.map { inodes[$0] }) : []
    }

    /// This moment on the scale of `ProcessEntry.Identity.startTime`.
    static func now() -> UInt64 {
        var time = timespec()
        // Sound: `time` is a local that the call fills.
        unsafe clock_gettime(CLOCK_BOOTTIME, &time)
        let ticks = max(1, sysconf(Int32(_SC_CLK_TCK)))
        return UInt64(time.tv_sec * ticks + time.tv_nsec * ticks / 1_000_000_000)
    }

    private static func listPids() -> [pid_t] {
        var capacity = 1024
        while true {
            var found: Int32 = 0
            // Sound: at most `capacity` elements are written, and no more than that are declared initialised.
            let pids = unsafe [pid_t](unsafeUninitializedCapacity: capacity) { buffer, count in
                found = unsafe cps_list_processes(buffer.baseAddress, Int32(capacity))
                count = min(capacity, max(0, Int(found)))
            }
            if Int(found) <= capacity { return pids }
            capacity = Int(found) + 1024
        }
    }

    private static func read(_ name: String, of pid: pid_t, into buffer: inout [UInt8]) -> Int {
        // Sound: the call writes at most `count` bytes into the buffer.
        unsafe buffer.withUnsafeMutableBytes { bytes in
            Int(unsafe cps_read_process_file(pid, name, bytes.baseAddress, bytes.count))
        }
    }

    private static func entry(of pid: pid_t, buffer: inout [UInt8]) -> ProcessEntry? {
        let count = read("stat", of: pid, into: &buffer)
        guard count > 0 else { return nil }
        // A copy of the few bytes, so that the next read does not copy the whole buffer.
        return ProcessEntry(pid: pid, stat: Array(buffer[..<count]))
    }

    private static func markers(of pid: pid_t, buffer: inout [UInt8]) -> [String] {
        let count = read("environ", of: pid, into: &buffer)
        guard count > 0 else { return [] }
        // Sound: the call reads `count` bytes of the buffer, which were just written.
        let offset = unsafe buffer.withUnsafeBytes { bytes in
            Int(unsafe cps_find_variable(bytes.baseAddress, count, "\(ProcessMarker.variable)="))
        }
        guard offset >= 0 else { return [] }
        var end = offset
        while end < count, buffer[end] != 0 { end += 1 }
        return ProcessMarker.parts(String(decoding: Array(buffer[offset..<end]), as: UTF8.self))
    }
}

extension ProcessEntry {
    /// Reads a line of /proc/<pid>/stat (proc_pid_stat(5)); nil if it is not one.
    init?(pid: pid_t, stat: [UInt8]) {
        // The second field is the program's name in parentheses and may itself contain any of `)` and space.
        guard let nameEnd = stat.lastIndex(of: UInt8(ascii: ")")), nameEnd + 2 < stat.count else { return nil }
        let state = stat[nameEnd + 2]
        // From the fourth field on, all are numbers; the 22nd is the last of interest.
        let numbers = Self.numbers(in: stat, from: nameEnd + 4, count: 19)
        guard numbers.count == 19 else { return nil }
        identity = Identity(pid: pid, startTime: UInt64(max(0, numbers[18])))
        parent = pid_t(truncatingIfNeeded: numbers[0])
        group = pid_t(truncatingIfNeeded: numbers[1])
        session = pid_t(truncatingIfNeeded: numbers[2])
        isStopped = state == UInt8(ascii: "T")
        // A zombie with threads left is a program whose first thread ended before the others.
        isAlive = numbers[16] > 1 || !(state == UInt8(ascii: "Z") || state == UInt8(ascii: "X"))
    }

    /// Fewer than `count` if the line ends early or has something else than numbers.
    private static func numbers(in line: [UInt8], from start: Int, count: Int) -> [Int64] {
        var numbers: [Int64] = []
        numbers.reserveCapacity(count)
        var index = start
        while numbers.count < count, index < line.count {
            let isNegative = line[index] == UInt8(ascii: "-")
            if isNegative { index += 1 }
            var number: Int64 = 0
            let first = index
            while index < line.count, line[index] >= 0x30, line[index] <= 0x39 {
                number = number &* 10 &+ Int64(line[index] - 0x30)
                index += 1
            }
            guard index > first else { break }
            numbers.append(isNegative ? -number : number)
            // The space between two fields.
            index += 1
        }
        return numbers
    }
}
