// SPDX-License-Identifier: Apache-2.0
package import ChildProcesses
package import Secrets

/// How the processes of one server are started.
///
/// It holds no secret: `prepare` resolves them each time a process starts, and fails with a sentence where it cannot.
package struct ChildPlan: Sendable {
    /// What is started, and what has to be kept out of everything that leaves Lodge.
    package struct Prepared: Sendable {
        package var specification: ChildSpecification
        package var redactor: any Redacting

        package init(specification: ChildSpecification, redactor: any Redacting) {
            self.specification = specification
            self.redactor = redactor
        }
    }

    /// Why nothing can be started; the text names the thing and what mends it.
    package struct Refusal: Error, Sendable {
        package var message: String
        package init(_ message: String) { self.message = message }
    }

    package var prepare: @Sendable () throws(Refusal) -> Prepared
    /// The delays between restarts; the last one repeats.
    package var restartDelays: [Duration] = [1, 2, 4, 8, 15].map { .seconds($0) }
    /// A server that was up so long starts again from the first delay.
    package var restartReset: Duration = .seconds(60)
    /// A handshake that takes longer is a failure.
    package var startTimeout: Duration = .seconds(30)
    /// The longest line that is held, in bytes.
    package var lineLimit = 64 * 1024 * 1024
    /// What stands before a line of the process's stderr in the log, as its message; nil logs the line as metadata.
    package var standardErrorPrefix: String?

    package init(prepare: @escaping @Sendable () throws(Refusal) -> Prepared) { self.prepare = prepare }
}
