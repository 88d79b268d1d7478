// SPDX-License-Identifier: Apache-2.0

private import Secrets

/// The environment that an agent is launched with: what it would have had, less everything that is or may be a secret.
///
/// Variables are dropped for two reasons that are told apart: their value holds a secret that Lodge knows, under
/// whatever name, or their name names a credential. The second can be waived by passing the name, as an agent needs for
/// its own `ANTHROPIC_API_KEY`; the first cannot, or the agent would have a server's key. A known secret is found as it
/// stands, also inside a longer value, not in an encoded form.
package struct AgentEnvironment: Hashable, Sendable {
    /// A variable that the agent does not get.
    package struct Dropped: Hashable, Sendable {
        /// Why the agent does not get it.
        package enum Reason: Hashable, Sendable {
            /// Its value is or contains a secret of a server.
            case holdsKnownSecret
            /// Its name names a credential and was not passed.
            case namesCredential
        }

        package let name: String
        package let reason: Reason
    }

    package let variables: [String: String]
    /// In order of their names, for the command to report.
    package let dropped: [Dropped]

    /// Hosts at which the agent reaches Lodge itself, which no proxy may get in between.
    private static let direct = ["127.0.0.1", "localhost"]

    /// Builds the environment.
    ///
    /// - Parameters:
    ///   - inherited: what the agent would have had.
    /// - knownSecrets: values of secrets of the servers; empty ones are ignored, and ones of fewer than four bytes are
    ///     found
    ///     only as a whole value.
    ///   - passed: names of credentials that the agent may have.
    ///   - forced: variables that are set whatever was inherited, such as the grant token.
    package static func build(
        inherited: [String: String], knownSecrets: [String], passed: Set<String>, forced: [String: String]
    ) -> AgentEnvironment {
        var variables: [String: String] = [:]
        var dropped: [Dropped] = []
        let secrets = Set(knownSecrets).subtracting([""])
        // A value that a redactor would change is one that holds a secret.
        let redactor = Redactor(secrets.map { (name: "", value: $0) })
        for name in inherited.keys.sorted() where forced[name] == nil {
            guard let value = inherited[name] else { continue }
            if secrets.contains(value) || redactor.redact(value) != value {
                dropped.append(Dropped(name: name, reason: .holdsKnownSecret))
            } else if CredentialNames.isCredential(name), !passed.contains(name) {
                dropped.append(Dropped(name: name, reason: .namesCredential))
            } else {
                variables[name] = value
            }
        }
        variables.merge(forced) { $1 }
        let upper = variables["NO_PROXY"]
        let lower = variables["no_proxy"]
        variables["NO_PROXY"] = withDirectHosts(upper ?? lower)
        variables["no_proxy"] = withDirectHosts(lower ?? upper)
        return AgentEnvironment(variables: variables, dropped: dropped)
    }

    private static func withDirectHosts(_ list: String?) -> String {
        let hosts = (list ?? "").split(separator: ",").map { $0.trimmed }.filter { !$0.isEmpty }
        if hosts == ["*"] { return "*" }
        return (hosts + direct.filter { !hosts.contains($0) }).joined(separator: ",")
    }
}

extension Substring {
    fileprivate var trimmed: String {
        String(drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
}
