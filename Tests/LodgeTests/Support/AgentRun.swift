// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import Testing

/// A running `lodge run`, as a user would start it: the fixture of the tests of agent sessions.
///
/// The agent is as a rule a shell script, with the path of its config as `$1`; it shares Lodge's three streams, which
/// are pipes here. `finish` has to be called; it checks that no process that Lodge ever had is left, and that the
/// session's files are gone.
final class AgentRun: Sendable {
    private let child: ChildProcess
    let scratch: ScratchDirectory
    /// The lines of the agent's standard output.
    let output = LogLines()
    /// The lines of Lodge's log, and of the agent's standard error.
    let log = LogLines()
    private let outputEnd: AsyncStream<Void>

    /// - Parameters:
    ///   - specs: the content of the file of servers; `SPECS` among the flags stands for its path.
    ///   - environment: what Lodge has beside `PATH` and its like, a home and a place for temporary files of its own.
    convenience init(
        specs: String, in scratch: ScratchDirectory, flags: [String] = [], environment: [String: String] = [:],
        agent: [String]
    ) throws {
        let file = try scratch.write(specs, to: "specs.json")
        try self.init(
            arguments: ["run", "--specs", file, "--ready-file", scratch.path + "/ready.json"] + flags + ["--"] + agent,
            in: scratch, environment: environment)
    }

    convenience init(
        servers: [JSONValue], in scratch: ScratchDirectory, flags: [String] = [], environment: [String: String] = [:],
        script: String
    ) throws {
        try self.init(
            specs: String(decoding: JSONValue.array(servers).serialized, as: UTF8.self), in: scratch, flags: flags,
            environment: environment, agent: ["/bin/sh", "-c", script, "sh", "{mcp-config}"])
    }

    /// - Parameter standardInput: a file that Lodge has as its standard input, instead of a pipe of the fixture.
    init(
        arguments: [String], in scratch: ScratchDirectory, environment: [String: String] = [:],
        standardInput: String? = nil
    ) throws {
        self.scratch = scratch
        var variables = BuiltEnvironment.build(parent: ProcessInfo.processInfo.environment)
        variables["PATH"] = "/usr/local/bin:/usr/bin:/bin"
        variables["HOME"] = try scratch.directory("home")
        variables["TMPDIR"] = try scratch.directory("tmp")
        variables.merge(environment) { _, new in new }
        // Without the marker, the fixture cannot find what Lodge leaves behind, and so cannot tidy it up either.
        let shell = standardInput.map { ["/bin/sh", "-c", #"exec "$@" <"$0""#, $0] } ?? []
        child = try ChildProcess.spawn(
            ChildSpecification(
                executable: "/usr/bin/env",
                arguments: ["-u", ProcessMarker.variable] + shell + [BuiltProducts.lodge] + arguments,
                environment: variables,
                workingDirectory: scratch.path)
        ) { [log] in log.append($0) }
        let (stream, end) = AsyncStream<Void>.makeStream()
        outputEnd = stream
        guard let descriptor = child.takeStandardOutput() else { throw LodgeProcessError("no standard output") }
        Thread.detachNewThread { [output] in
            for line in LineSource(descriptor) { output.append(line) }
            end.finish()
        }
    }

    deinit {
        // A test that failed half-way; otherwise Lodge has ended. The guard ends the rest.
        child.send(SIGKILL)
    }

    var pid: Int32 { child.pid }

    /// Sends a signal to Lodge alone.
    func send(_ signal: Int32) { child.send(signal) }

    /// The processes of Lodge now: the guard, the servers, the sandbox, the agent.
    var family: ProcessFamily { ProcessFamily(of: pid) }

    /// Where the servers are and what opens them; to be asked once the agent runs.
    func ready() throws -> ReadyFacts {
        try ReadyFacts(JSONValue.parse(Array(Data(contentsOf: URL(filePath: scratch.path + "/ready.json")))))
    }

    /// Lets a script that reads a line from its standard input go on.
    func endInput() { child.closeStandardInput() }

    /// Waits for the end of Lodge and answers its exit status, as a shell would.
    ///
    /// - Parameter family: who ran before and must be gone the moment Lodge is.
    @discardableResult
    func finish(
        after family: ProcessFamily = ProcessFamily(), sourceLocation: SourceLocation = #_sourceLocation
    ) async -> Int32 {
        let status = await status()
        let left = family.survivors
        #expect(left.isEmpty, "processes outlived lodge", sourceLocation: sourceLocation)
        for process in left { process.kill() }
        for await _ in outputEnd {}
        await child.waitForEnd()
        let files = (try? FileManager.default.contentsOfDirectory(atPath: scratch.path + "/tmp")) ?? ["?"]
        #expect(files == [], "files outlived lodge", sourceLocation: sourceLocation)
        return status
    }

    /// Waits for the end of Lodge and checks nothing.
    func status() async -> Int32 {
        await withTaskCancellationHandler {
            await child.waitForExit().shellStatus
        } onCancel: {
            child.send(SIGKILL)
        }
    }

    /// Everything that was said on both streams.
    var everything: String { (output.lines + log.lines).joined(separator: "\n") }
}

/// What the ready file says.
struct ReadyFacts: Sendable {
    let token: String
    let pid: Int32
    let port: Int
    let paths: [String: String]

    init(_ document: JSONValue) throws {
        guard let token = document["token"]?.string, let pid = document["pid"]?.integer,
            let servers = document["servers"]?.elements
        else { throw LodgeProcessError("not a ready file: \(document)") }
        self.token = token
        self.pid = Int32(pid)
        var (port, paths) = (0, [String: String]())
        for server in servers {
            guard let name = server["name"]?.string, let url = server["url"]?.string,
                let parts = URLComponents(string: url), parts.host == "127.0.0.1"
            else { throw LodgeProcessError("not a server: \(server)") }
            port = parts.port ?? 0
            paths[name] = parts.path
        }
        (self.port, self.paths) = (port, paths)
    }

    /// An initialized session with a server.
    func client(of server: String) async throws -> ToolClient {
        guard let path = paths[server] else { throw LodgeProcessError("there is no server '\(server)'") }
        return try await ToolClient(port: port, path: path, token: token)
    }
}
