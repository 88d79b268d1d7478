// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import Synchronization
import Testing

/// A running `lodge serve`, as a user would start it: the fixture of the tests on the built program.
///
/// `withServe` owns it. At the end it is asked to end by SIGTERM; it must then end with status 0 and leave nothing of
/// its tree behind, which is checked for every test.
struct LodgeProcess: Sendable {
    let child: ChildProcess
    let url: String
    let host: String
    let port: Int
    let token: String?
    /// The lines of its standard error so far.
    let log: LogLines

    /// Starts `lodge serve --json`, runs the body, ends it and checks that nothing is left.
    static func withServe(
        _ flags: [String] = [], environment: [String: String] = [:], server: [String],
        _ body: (LodgeProcess) async throws -> Void
    ) async throws {
        let log = LogLines()
        var variables = BuiltEnvironment.build(parent: ProcessInfo.processInfo.environment)
        variables.merge(environment) { _, new in new }
        let child = try ChildProcess.spawn(
            ChildSpecification(
                executable: BuiltProducts.lodge,
                arguments: ["serve", "--listen", "127.0.0.1:0", "--json"] + flags + ["--"] + server,
                environment: variables)
        ) { log.append($0) }
        do {
            let lodge = try await LodgeProcess(child: child, log: log)
            try await body(lodge)
        } catch {
            await child.teardown()
            throw LodgeProcessError("\(error)\nlog of lodge:\n\(log.lines.suffix(30).joined(separator: "\n"))")
        }
        child.send(SIGTERM)
        let report = await child.teardown([.wait(.seconds(8)), .killTree])
        #expect(report.status == .exited(0), "lodge must end in order: \(log.lines.suffix(10))")
        #expect(report.survivors.isEmpty)
    }

    private init(child: ChildProcess, log: LogLines) async throws {
        self.child = child
        self.log = log
        guard let output = child.takeStandardOutput() else { throw LodgeProcessError("no standard output") }
        let line = try await Self.firstLine(of: output)
        let ready = try JSONValue.parse(Array(line.utf8))
        guard let url = ready["servers"]?.elements?.first?["url"]?.string, let parts = URLComponents(string: url),
            let host = parts.host, let port = parts.port
        else { throw LodgeProcessError("not the line of --json: \(line)") }
        self.url = url
        self.host = host
        self.port = port
        token = ready["token"]?.string
    }

    private static func firstLine(of descriptor: Int32) async throws -> String {
        let flags = fcntl(descriptor, F_GETFL)
        _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        for try await line in handle.bytes.lines { return line }
        throw LodgeProcessError("lodge ended before it was ready")
    }

    /// The path of the server's endpoint.
    var path: String { URLComponents(string: url)?.path ?? "/mcp" }
}

/// What a test can say when the program under test did not do its part.
struct LodgeProcessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Lines of a log, and a way to wait for one.
final class LogLines: Sendable {
    private struct State {
        var lines: [String] = []
        var waiters: [(text: String, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func append(_ line: String) {
        let reached = state.withLock { state in
            state.lines.append(line)
            let reached = state.waiters.filter { line.contains($0.text) }
            state.waiters.removeAll { line.contains($0.text) }
            return reached
        }
        for waiter in reached { waiter.continuation.resume() }
    }

    /// Waits until a line holds the text; the test's time limit ends a wait in vain.
    func wait(for text: String) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.lines.contains(where: { $0.contains(text) }) { return true }
                state.waiters.append((text, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }
}
