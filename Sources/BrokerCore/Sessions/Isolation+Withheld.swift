// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration

extension Isolation {
    /// What clients do not get through this isolation, in words for a person.
    package var withheld: [String] {
        switch self {
        case .shared: ["sampling", "elicitation", "roots", "log messages (they go to lodge's own log)", "tasks"]
        case .client: []
        case .call: ["tasks", "what a call leaves in the server for the next"]
        case .pool:
            Isolation.shared.withheld + ["what a call leaves in the server for the next"]
        }
    }

    /// What clients do not get besides where there are no sessions.
    package static let withheldWithoutSessions = [
        "subscriptions", "log levels", "notices of changed lists", "cancellation by a message (close the connection)",
    ]
}
