// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation
import JSONRPC
import Testing

/// A running `lodge connect`, spoken to over its standard streams as a client speaks to a server.
struct ConnectProcess: Sendable {
    let child: ChildProcess
    /// The lines of its standard error so far.
    let log: LogLines
    /// The lines of its standard output so far.
    let output: LogLines
    private let input: FileHandle

    /// Starts `lodge connect`, runs the body and ends it.
    ///
    /// - Parameter status: the exit status that it has to have once its input has ended; nil says nothing.
    static func with(
        _ url: String, _ flags: [String] = [], environment: [String: String] = [:], status: Int32? = 0,
        _ body: (ConnectProcess) async throws -> Void
    ) async throws {
        let log = LogLines()
        let child = try ChildProcess.spawn(
            ChildSpecification(
                executable: BuiltProducts.lodge, arguments: ["connect", url, "--log-level", "debug"] + flags,
                environment: FinishedProgram.environment(
                    ["NO_PROXY": "127.0.0.1"].merging(environment) { _, new in new })
            )
        ) { log.append($0) }
        let connect = try ConnectProcess(child: child, log: log)
        do {
            try await body(connect)
        } catch {
            await child.teardown(.immediate)
            throw LodgeProcessError("\(error)\nlog of lodge:\n\(log.lines.suffix(30).joined(separator: "\n"))")
        }
        connect.endInput()
        let ended = await eventually(within: .seconds(20)) { child.exitStatus != nil }
        let report = await child.teardown(.immediate)
        #expect(ended, "it must end with its input: \(log.lines.suffix(10))")
        if let status { #expect(report.status == .exited(status), "\(log.lines.suffix(10))") }
    }

    private init(child: ChildProcess, log: LogLines) throws {
        self.child = child
        self.log = log
        guard let out = child.takeStandardOutput(), let input = child.takeStandardInput(closer: {})
        else {
            throw LodgeProcessError("no standard streams")
        }
        _ = fcntl(input, F_SETFL, fcntl(input, F_GETFL) & ~O_NONBLOCK)
        self.input = FileHandle(fileDescriptor: input, closeOnDealloc: true)
        let output = LogLines()
        self.output = output
        Thread.detachNewThread {
            for line in LineSource(out) { output.append(line) }
        }
    }

    /// Sends one line.
    func say(_ line: String) throws { try input.write(contentsOf: Data((line + "\n").utf8)) }

    /// Sends bytes as they are.
    func send(_ bytes: [UInt8]) throws { try input.write(contentsOf: Data(bytes)) }

    func endInput() {
        // Closed already where a test did it.
        try? input.close()
    }

    /// Waits until so many lines have come and answers them.
    @discardableResult
    func lines(_ count: Int) async -> [String] {
        await output.wait { $0.count >= count }
        return output.lines
    }

    /// Sends a line and waits for the next line of the output.
    func ask(_ line: String) async throws -> String {
        let before = output.lines.count
        try say(line)
        let lines = await lines(before + 1)
        guard lines.count > before else { throw LodgeProcessError("no answer to \(line.prefix(200))") }
        return lines[before]
    }

    /// Makes the handshake and answers the line that `initialize` brought.
    @discardableResult
    func initialize(version: String = "2025-11-25") async throws -> String {
        let answer = try await ask(MCPClient.initialize(version: version))
        try say(MCPClient.initialized)
        return answer
    }
}

extension String {
    /// A member of the error in a message.
    var errorData: JSONValue? { (try? JSONValue.parse(Array(utf8)))?["error"]?["data"] }
    var errorMessage: String? { (try? JSONValue.parse(Array(utf8)))?["error"]?["message"]?.string }
}
