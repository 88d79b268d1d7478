// SPDX-License-Identifier: Apache-2.0

/// What a reader of a configuration wants to be told of, though the configuration can be used.
///
/// Like an error it holds no value from the configuration that may be a secret.
package struct ConfigurationNotice: Hashable, Sendable, CustomStringConvertible {
    package enum Severity: Hashable, Sendable {
        /// Something is probably not as its author meant it.
        case warning
        /// Something is as its author meant it, and still worth a line.
        case info
    }

    package let severity: Severity
    /// One sentence behind the place where it applies.
    package let description: String

    package init(_ severity: Severity, _ message: String, at place: some CustomStringConvertible) {
        self.severity = severity
        description = "\(place): \(message)"
    }

    /// A notice of what has no place in a file.
    package init(_ severity: Severity, _ message: String) {
        self.severity = severity
        description = message
    }
}
