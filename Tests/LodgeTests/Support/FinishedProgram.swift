// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import Foundation

/// A call of `lodge` that ends by itself: its exit status and what it printed.
struct FinishedProgram: Sendable {
    let status: ExitStatus?
    let output: String
    let errors: String

    /// Runs `lodge` and waits for its end; a cancelled test kills it.
    static func lodge(_ arguments: [String], environment: [String: String] = [:]) async throws -> FinishedProgram {
        try await program(BuiltProducts.lodge, arguments, environment: environment)
    }

    /// Runs any program.
    static func program(
        _ executable: String, _ arguments: [String], environment: [String: String] = [:]
    ) async throws -> FinishedProgram {
        let log = LogLines()
        let child = try ChildProcess.spawn(
            ChildSpecification(
                executable: executable, arguments: arguments, environment: Self.environment(environment))
        ) { log.append($0) }
        let descriptor = child.takeStandardOutput()
        child.closeStandardInput()
        return await withTaskCancellationHandler {
            let output = if let descriptor { await PipeReader.all(of: descriptor) } else { "" }
            let status = await child.waitForExit()
            await child.waitForEnd()
            return FinishedProgram(status: status, output: output, errors: log.lines.joined(separator: "\n"))
        } onCancel: {
            child.send(SIGKILL)
        }
    }

    /// What a program under test gets: the usual variables, and what a test adds.
    static func environment(_ more: [String: String]) -> [String: String] {
        BuiltEnvironment.build(parent: ProcessInfo.processInfo.environment).merging(more) { _, new in new }
    }
}
