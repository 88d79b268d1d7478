// SPDX-License-Identifier: Apache-2.0

/// Builds the environment of a child from what is named, so that nothing is inherited by accident.
///
/// It resolves no secret reference and judges no value; whoever fills `explicit` has done so. It is pure: the parent's
/// environment is a parameter.
package enum BuiltEnvironment {
    /// Variables that a program needs to run at all and that hold no secret.
    ///
    /// XDG_RUNTIME_DIR is left out on purpose: it leads to the session bus, the keyring and other programs' sockets.
    package static let allowed: Set<String> = [
        "PATH", "HOME", "LANG", "TERM", "TMPDIR", "TMP", "TEMP", "USER", "LOGNAME", "SHELL", "TZ",
        "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
        "http_proxy", "https_proxy", "no_proxy", "all_proxy",
        "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]
    /// Variables of the locale, such as LC_ALL.
    package static let allowedPrefix = "LC_"

    /// Builds an environment; of one name, `forced` beats `explicit`, which beats the parent's value.
    ///
    /// - Parameters:
    ///   - parent: the environment to take the allowed variables from.
    ///   - passThrough: further names to take from the parent, exactly as written; one it lacks stays unset.
    ///   - explicit: what the child's configuration sets.
    ///   - forced: what Lodge sets whatever the configuration says.
    package static func build(
        parent: [String: String], passThrough: some Sequence<String> = [], explicit: [String: String] = [:],
        forced: [String: String] = [:]
    ) -> [String: String] {
        let passed = Set(passThrough)
        return
            parent
            .filter { allowed.contains($0.key) || $0.key.hasPrefix(allowedPrefix) || passed.contains($0.key) }
            .merging(explicit) { _, explicit in explicit }
            .merging(forced) { _, forced in forced }
    }
}
