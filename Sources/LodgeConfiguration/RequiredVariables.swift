// SPDX-License-Identifier: Apache-2.0

/// Decides which servers take part by the variables that they require (`requires` of an entry).
///
/// A server with requirements is there only while all of them are set where Lodge runs and are not empty, and comes
/// behind the servers that have none. It is not the resolving of references, which happens when a server starts.
package enum RequiredVariables {
    /// Returns the servers that take part, and a notice for each that does not.
    package static func select(
        _ servers: [ServerSpecification], environment: [String: String]
    ) -> (servers: [ServerSpecification], notices: [ConfigurationNotice]) {
        var always: [ServerSpecification] = []
        var conditional: [ServerSpecification] = []
        var notices: [ConfigurationNotice] = []
        for server in servers {
            guard !server.requires.isEmpty else {
                always.append(server)
                continue
            }
            let missing = server.requires.filter { environment[$0, default: ""].isEmpty }
            if missing.isEmpty {
                conditional.append(server)
            } else {
                notices.append(notice(of: server, missing: missing))
            }
        }
        return (always + conditional, notices)
    }

    private static func notice(of server: ServerSpecification, missing: [String]) -> ConfigurationNotice {
        let isPartial = missing.count < server.requires.count
        let names = missing.joined(separator: ", ")
        let message =
            isPartial
            ? "server '\(server.name)' is left out: it requires \(names) too, set nowhere where Lodge runs"
            : "server '\(server.name)' is left out: what it requires is not set (\(names))"
        let severity: ConfigurationNotice.Severity = isPartial ? .warning : .info
        return server.origin.map { ConfigurationNotice(severity, message, at: $0) }
            ?? ConfigurationNotice(severity, message)
    }
}
