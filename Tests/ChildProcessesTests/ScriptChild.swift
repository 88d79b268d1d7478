// SPDX-License-Identifier: Apache-2.0

import CProcessShim
import Dispatch
import Glibc
import Synchronization
import Testing

@testable import ChildProcesses

/// A child of a test: a shell script with its output as lines and its standard error collected.
struct ScriptChild {
    static let environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]

    let child: ChildProcess
    let output: LineStream
    let errors: Collected<String>

    init(
        _ script: String, guardedBy guardian: GuardProcess? = nil, group: ChildSpecification.Group = .own
    ) throws {
        try self.init(
            ChildSpecification(
                executable: "/bin/sh", arguments: ["-c", script], environment: Self.environment, group: group),
            guardedBy: guardian)
    }

    init(_ specification: ChildSpecification, guardedBy guardian: GuardProcess? = nil) throws {
        let errors = Collected<String>()
        child = try ChildProcess.spawn(specification, guardedBy: guardian) { errors.append($0) }
        output = LineStream(owning: try #require(child.takeStandardOutput()))
        self.errors = errors
    }

    /// Starts the test executable that stands in for `lodge`.
    static func fixture(_ arguments: String..., group: ChildSpecification.Group = .own) throws -> ScriptChild {
        try ScriptChild(
            ChildSpecification(
                executable: try fixturePath(), arguments: arguments, environment: environment, group: group))
    }

    static func fixturePath() throws -> String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe bytes.baseAddress.map { unsafe readlink("/proc/self/exe", $0, bytes.count) } ?? -1
        }
        let own = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
        // The test runner and the fixture are products of one build and stand side by side.
        let end = try #require(own.lastIndex(of: "/"))
        return own[...end] + "ChildProcessesFixture"
    }

    /// The next line of the output, as a number after a word: `child 123`.
    func pid(named name: String) async throws -> pid_t {
        let line = try #require(await output.next())
        let words = line.split(separator: " ")
        try #require(words.first.map(String.init) == name, "got '\(line)'")
        return try #require(words.last.flatMap { pid_t($0) })
    }
}

/// Things that callbacks bring from any thread.
final class Collected<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiter: (count: Int, continuation: CheckedContinuation<Void, Never>)?
    }
    private let state = Mutex(State())

    var all: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.elements.append(element)
            guard let waiter = state.waiter, state.elements.count >= waiter.count else { return nil }
            state.waiter = nil
            return waiter.continuation
        }
        waiting?.resume()
    }

    /// Waits until there are so many; the test's time limit ends a wait in vain. One waiter at a time.
    func wait(for count: Int) async -> [Element] {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.elements.count >= count { return true }
                state.waiter = (count, continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
        return all
    }
}

/// The lines of a descriptor, read on a thread of its own until the end of the stream.
final class LineStream: Sendable {
    private let lines: AsyncStream<String>

    init(owning descriptor: Int32) {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        lines = stream
        DispatchQueue(label: "lines").async {
            var pending: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                unsafe poll(&waiting, 1, -1)
                let count = unsafe buffer.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
                if count < 0, errno == EAGAIN || errno == EINTR { continue }
                if count <= 0 { break }
                pending += buffer[..<count]
                while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: pending[..<end], as: UTF8.self))
                    pending.removeSubrange(...end)
                }
            }
            if !pending.isEmpty { continuation.yield(String(decoding: pending, as: UTF8.self)) }
            close(descriptor)
            continuation.finish()
        }
    }

    /// The next line; nil at the end of the stream. One reader at a time.
    func next() async -> String? {
        for await line in lines { return line }
        return nil
    }

    /// All lines until the end of the stream.
    func rest() async -> [String] {
        var all: [String] = []
        for await line in lines { all.append(line) }
        return all
    }
}

/// Whether and when processes of no relation to the test end.
enum Strangers {
    static func isAlive(_ pid: pid_t) -> Bool { ProcessTable.entry(of: pid)?.isAlive ?? false }

    /// Waits for a process that need not be a child; answers false after the limit.
    static func ends(_ pid: pid_t, within limit: Duration = .seconds(10)) async -> Bool {
        let pidfd = cps_pidfd_open(pid)
        guard pidfd >= 0 else { return true }
        defer { close(pidfd) }
        return await withCheckedContinuation { continuation in
            DispatchQueue(label: "ends").async {
                var waiting = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
                let milliseconds = Int32(limit / .milliseconds(1))
                continuation.resume(returning: unsafe poll(&waiting, 1, milliseconds) == 1)
            }
        }
    }

    /// The living processes that carry a marker.
    static func carrying(_ marker: String) -> [pid_t] {
        ProcessTable.snapshot().filter { $0.isAlive && $0.markers.contains(marker) }.map(\.pid)
    }
}
