// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration
package import MCPProtocol

extension Isolation {
    /// What clients do not get through this isolation of a server of that era, in words for a person.
    ///
    /// What a modern server asks stands in the answer to one call, so many clients may share it all the same.
    package func withheld(of era: Era) -> [String] {
        switch self {
        case .shared:
            (era == .legacy ? ["sampling", "elicitation", "roots"] : [])
                + ["log messages (they go to lodge's own log)", "tasks"]
        case .client: []
        case .call: ["tasks", "what a call leaves in the server for the next"]
        case .pool:
            Isolation.shared.withheld(of: era) + ["what a call leaves in the server for the next"]
        }
    }

    /// What clients do not get besides where there are no sessions.
    package static let withheldWithoutSessions = [
        "subscriptions", "log levels", "notices of changed lists", "cancellation by a message (close the connection)",
    ]
}
