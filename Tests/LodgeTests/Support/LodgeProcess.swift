// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import Testing

/// A running `lodge serve`, as a user would start it: the fixture of the tests on the built program.
///
/// `withServe` owns it. At the end it is asked to end by SIGTERM; it must then end with status 0 and leave nothing of
/// its tree behind, which is checked for every test.
struct LodgeProcess: Sendable {
    let child: ChildProcess
    let url: String
    let host: String
    var port: Int
    var token: String?
    /// The lines of its standard error so far.
    let log: LogLines
    /// The connections that a test opened; they are closed with the process.
    let connections = OpenConnections()

    /// Starts `lodge serve --json`, runs the body, ends it and checks that nothing is left.
    ///
    /// - Parameters:
    ///   - server: the command behind `--`; empty where the flags name a file.
    ///   - ending: how it is ended; with SIGKILL nothing is said of its status.
    static func withServe(
        _ flags: [String] = [], environment: [String: String] = [:], server: [String] = [],
        listen: String = "127.0.0.1:0", ending: Int32 = SIGTERM, _ body: (LodgeProcess) async throws -> Void
    ) async throws {
        let log = LogLines()
        let child = try ChildProcess.spawn(
            ChildSpecification(
                executable: BuiltProducts.lodge,
                arguments: ["serve", "--listen", listen, "--json"] + flags
                    + (server.isEmpty ? [] : ["--"] + server),
                environment: FinishedProgram.environment(environment))
        ) { log.append($0) }
        var family = ProcessFamily()
        do {
            let lodge = try await LodgeProcess(child: child, log: log)
            do {
                try await body(lodge)
            } catch {
                await lodge.connections.closeAll()
                throw error
            }
            family = ProcessFamily(of: child.pid)
            child.send(ending)
            if await eventually({ child.exitStatus != nil }) == false {
                log.append("lodge did not end within its limit")
            }
            await lodge.connections.closeAll()
        } catch {
            await child.teardown(.immediate)
            throw LodgeProcessError("\(error)\nlog of lodge:\n\(log.lines.suffix(30).joined(separator: "\n"))")
        }
        if ending == SIGTERM {
            #expect(family.survivors.isEmpty, "lodge ended before its servers did")
        } else {
            #expect(await eventually { family.survivors.isEmpty }, "something of lodge's tree is left")
        }
        let report = await child.teardown(.immediate)
        if ending == SIGTERM {
            #expect(report.status == .exited(0), "lodge must end in order: \(log.lines.suffix(10))")
        }
    }

    private init(child: ChildProcess, log: LogLines) async throws {
        guard let output = child.takeStandardOutput() else { throw LodgeProcessError("no standard output") }
        let line = await withTaskCancellationHandler {
            await PipeReader.firstLine(of: output)
        } onCancel: {
            child.send(SIGKILL)
        }
        guard let line else { throw LodgeProcessError("lodge ended before it was ready") }
        try self.init(child: child, readyLine: line, log: log)
    }

    /// One that was started otherwise and has told where it listens.
    init(child: ChildProcess, readyLine line: String, log: LogLines) throws {
        self.child = child
        self.log = log
        let ready = try JSONValue.parse(Array(line.utf8))
        guard let url = ready["servers"]?.elements?.first?["url"]?.string, let parts = URLComponents(string: url),
            let host = parts.host, let port = parts.port
        else { throw LodgeProcessError("not the line of --json: \(line)") }
        self.url = url
        self.host = host
        self.port = port
        token = ready["token"]?.string
        path = parts.path
        readyLine = line
    }

    /// The path of the server's endpoint.
    var path: String
    /// What `--json` printed.
    let readyLine: String

    /// How many descriptors the process holds.
    var descriptorCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(child.pid)/fd"))?.count ?? 0
    }

    /// The processes of its servers, without its guard and without those that are yet to become another program.
    var servers: [ProcessFamily.Member] {
        let program = ProcessFamily.Member(pid: child.pid)?.program
        return ProcessFamily(of: child.pid).members.filter {
            $0.parent == child.pid && $0.isAlive && $0.program != program
        }
    }
}

/// What a test can say when the program under test did not do its part.
struct LodgeProcessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Looks again and again until a condition holds, for what no event tells of; false after the limit.
func eventually(
    within limit: Duration = .seconds(10), _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return true }
        guard ContinuousClock.now < deadline, !Task.isCancelled else { return false }
        // A cancelled wait ends with the loop's next look at the task.
        try? await ContinuousClock().sleep(for: .milliseconds(10))
    }
}
