// SPDX-License-Identifier: Apache-2.0

/// Where something stands in a configuration file.
package struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
    /// The file's name as the user gave it.
    package let source: String
    /// Counted from 1.
    package let line: Int
    /// Counted from 1, in Unicode scalars.
    package let column: Int

    package init(source: String, line: Int, column: Int) {
        self.source = source
        self.line = line
        self.column = column
    }

    package var description: String { "\(source):\(line):\(column)" }
}

/// A configuration cannot be used; the message names the server and what mends it.
///
/// No message holds a value from the configuration that may be a secret.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of mistake it is.
    package enum Code: Hashable, Sendable {
        /// The file is not the format it should be.
        case syntax
        /// A server has no name, or one that cannot be used.
        case name
        /// Two servers have one name.
        case duplicate
        /// A server says neither how to start nor how to reach it, or both.
        case transport
        /// A value has the wrong form or type.
        case value
        /// A reference has no value where Lodge runs, or an empty one.
        case unresolved
        /// The configuration asks for what this version does not do.
        case unsupported
    }

    package let code: Code
    package let message: String
    package let location: SourceLocation?

    package init(_ code: Code, _ message: String, at location: SourceLocation? = nil) {
        self.code = code
        self.message = message
        self.location = location
    }

    package var description: String { location.map { "\($0): \(message)" } ?? message }
}
