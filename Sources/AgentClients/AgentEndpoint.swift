// SPDX-License-Identifier: Apache-2.0

package import LodgeConfiguration
package import Secrets

/// A server as an agent reaches it: by HTTP, at Lodge, under its own name.
package struct AgentEndpoint: Hashable, Sendable {
    package var name: ServerName
    package var url: String
    /// Tools that the agent may use, by the names that it sees: nil for all of the server's.
    package var allowedTools: [ToolPattern]?

    package init(name: ServerName, url: String, allowedTools: [ToolPattern]? = nil) {
        self.name = name
        self.url = url
        self.allowedTools = allowedTools
    }
}

/// How the grant token gets into an agent's requests.
package enum TokenPlacement: Sendable {
    /// The configuration names a variable of the agent's environment, which the agent expands.
    case environmentVariable(String)
    /// The configuration holds the token itself, for agents that expand nothing.
    case inFile(BearerToken)
}
