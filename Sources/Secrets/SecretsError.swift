// SPDX-License-Identifier: Apache-2.0

/// A secret, a token or the file that holds one could not be used.
///
/// The message names the file and what mends it; it never holds any part of a secret.
package struct SecretsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is, for callers that act on it.
    package enum Code: Hashable, Sendable {
        /// The file could not be read or written.
        case unreadable
        /// The file may be read by others than its owner.
        case exposed
        /// The content is empty or not in the expected form.
        case malformed
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
