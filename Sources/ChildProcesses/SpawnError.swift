// SPDX-License-Identifier: Apache-2.0

/// The reason why a program could not be started.
///
/// Nothing is left behind when it is thrown: no process, no descriptor.
package struct SpawnError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of reason it is.
    package struct Code: Hashable, Sendable {
        private enum Kind: Hashable {
            case notFound, notExecutable, badWorkingDirectory, badSpecification, exhausted, unsupported, failed
        }
        private let kind: Kind

        /// There is no such program.
        package static let notFound = Code(kind: .notFound)
        /// The file is there but cannot be run.
        package static let notExecutable = Code(kind: .notExecutable)
        /// The working directory cannot be entered.
        package static let badWorkingDirectory = Code(kind: .badWorkingDirectory)
        /// An argument, a variable or the marker cannot be given to a program.
        package static let badSpecification = Code(kind: .badSpecification)
        /// The system is out of descriptors, processes or memory; trying again later can help.
        package static let exhausted = Code(kind: .exhausted)
        /// The kernel lacks what Lodge needs.
        package static let unsupported = Code(kind: .unsupported)
        /// Any other refusal of the system.
        package static let failed = Code(kind: .failed)
    }

    package let code: Code
    /// One lower-case sentence that names the program and what mends it.
    package let message: String

    package var description: String { message }

    init(_ code: Code, starting program: String, _ reason: String) {
        self.code = code
        self.message = "cannot start '\(program)': \(reason)"
    }
}
