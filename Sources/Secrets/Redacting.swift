// SPDX-License-Identifier: Apache-2.0

/// Removes secrets from text before the text leaves Lodge.
///
/// A port: whatever writes results, errors, stderr tails or logs holds one of these and knows nothing about how
/// the secrets are found. It never fails and never shortens text that holds no secret.
package protocol Redacting: Sendable {
    /// Returns the text with every secret that the implementation recognises replaced by a mark.
    func redact(_ text: String) -> String
}
