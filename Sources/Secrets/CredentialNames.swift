// SPDX-License-Identifier: Apache-2.0

/// The rule by which a name says that its value is a credential.
///
/// It looks at names only, never at values, and it guesses nothing: a name that holds none of the words is plain
/// configuration. It is wide on purpose (`GIT_AUTHOR_NAME` and `MONKEY` count), since the price of a
/// miss is a leak and the price of a false hit is one more word in a configuration file.
package enum CredentialNames {
    /// The words that make a name a credential's, in lower case.
    package static let words = ["token", "key", "secret", "auth", "password", "credential"]

    /// Tells whether a variable, header or option of this name holds a credential.
    package static func isCredential(_ key: String) -> Bool {
        let name = key.lowercased()
        return words.contains { name.contains($0) }
    }
}
