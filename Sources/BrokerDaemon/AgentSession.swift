// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Foundation
import LodgeConfiguration
package import Logging
package import Sandbox
package import Secrets
import ServiceLifecycle

/// One run of an agent with its servers: broker in this process, servers as its children, everything gone at the end.
package struct AgentSession: Sendable {
    /// What the session is made of.
    package struct Plan: Sendable {
        package var broker: BrokerSettings
        package var token: BearerToken
        package var agent: AgentLaunch
        package var sandbox: SandboxMode
        /// Files and directories that the agent must not see: the servers' definitions, Lodge's own places.
        package var hiddenPaths: [String]
        package var readyFile: String?

        package init(broker: BrokerSettings, token: BearerToken, agent: AgentLaunch, sandbox: SandboxMode) {
            self.broker = broker
            self.token = token
            self.agent = agent
            self.sandbox = sandbox
            hiddenPaths = []
        }
    }

    /// Why no agent ran; nothing is left of the session.
    package struct Failure: Error, Sendable {
        package var message: String
        package var hints: [String]
        package var status: Int32 = 1
    }

    private let plan: Plan
    private let redactor: SharedRedactor
    private let logger: Logger

    package init(_ plan: Plan, redactor: SharedRedactor, logger: Logger) {
        self.plan = plan
        self.redactor = redactor
        self.logger = logger
    }

    /// Runs the agent to its end and answers its exit status (128 + signal).
    package func run() async throws -> Int32 {
        let broker: Broker
        do {
            broker = try Broker(plan.broker, redactor: redactor, logger: logger)
        } catch {
            throw Failure(message: error.description, hints: [], status: 2)
        }
        let agent = AgentService(plan: plan, broker: broker, redactor: redactor, logger: logger)
        var services = broker.services.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) }
        services.append(.init(service: agent, successTerminationBehavior: .gracefullyShutdownGroup))
        var configuration = ServiceGroupConfiguration(services: services, logger: logger.quieter)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            // What the agent's service found out says more than what its end did to the others.
            guard agent.outcome == nil else { return try agent.result() }
            throw Failure(message: "the session could not be started: \(error)", hints: [])
        }
        return try agent.result()
    }
}
