// SPDX-License-Identifier: Apache-2.0
package import AgentClients
import LodgeConfiguration
import Logging
import Secrets

/// The agent of a session: its command, what it is, and what of Lodge's environment it keeps.
package struct AgentLaunch: Sendable {
    /// The variable in which the agent has its grant token.
    static let tokenVariable = "LODGE_TOKEN"

    /// A command line and an environment that can be started as they are.
    struct Resolved: Sendable {
        var command: [String]
        var environment: [String: String]
    }

    package var command: [String]
    package var kind: AgentKind
    /// Names of credentials that the agent itself needs.
    package var passed: [String]
    package var inherited: [String: String]

    package init(command: [String], kind: AgentKind, passed: [String], inherited: [String: String]) {
        self.command = command
        self.kind = kind
        self.passed = passed
        self.inherited = inherited
    }

    /// Writes the agent's config file and builds what it is started with.
    func resolved(
        configFile: String, endpoints: [AgentEndpoint], token: BearerToken, secrets: [String], logger: Logger
    ) throws(AgentSession.Failure) -> Resolved {
        do throws(SecretsError) {
            try AgentConfigurationFile.write(
                endpoints, token: .environmentVariable(Self.tokenVariable), to: configFile)
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [])
        }
        let environment = AgentEnvironment.build(
            inherited: inherited, knownSecrets: secrets, passed: Set(passed), forced: [Self.tokenVariable: token.value])
        for dropped in environment.dropped {
            let isKnown = dropped.reason == .holdsKnownSecret
            logger.notice(
                "variable kept from the agent",
                metadata: [
                    "name": "\(dropped.name)",
                    "reason": isKnown
                        ? "it holds a secret of a server" : "its name names a credential; --pass gives it",
                ])
        }
        do throws(AgentArgumentsError) {
            let command = try AgentArguments.build(
                command, kind: kind, configurationFile: configFile, endpoints: endpoints)
            return Resolved(command: command, environment: environment.variables)
        } catch {
            throw AgentSession.Failure(message: error.message, hints: [], status: 2)
        }
    }
}
