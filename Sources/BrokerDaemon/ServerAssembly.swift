// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import ChildProcesses
import Foundation
import LodgeConfiguration
import Logging
import MCPProtocol
import NIOCore
import Secrets
import Upstreams

/// One server of a broker, put together: its relay, and the supervisor of its processes.
struct ServerAssembly: Sendable {
    /// `shared` has isolations `pool` and `call` too. The two relays have the start and the end in common, which is no business of the Gateway's.
    enum Relay: Sendable {
        case shared(SharedServer)
        case client(ClientServer)

        var relay: any ServerRelay {
            switch self {
            case .shared(let server): server
            case .client(let server): server
            }
        }

        var gate: StartGate {
            switch self {
            case .shared(let server): server.gate
            case .client(let server): server.gate
            }
        }

        func start() {
            switch self {
            case .shared(let server): server.start()
            case .client(let server): server.start()
            }
        }

        func sweep() {
            switch self {
            case .shared(let server): server.sweep()
            case .client(let server): server.sweep()
            }
        }
    }

    let name: String
    let isolation: Isolation
    let era: Era
    /// The port on which the server alone is served too.
    let ownPort: Int?
    let relay: Relay
    let supervisor: ChildSupervisor

    /// - Parameter shared: what the servers of one broker have in common.
    init(_ specification: ServerSpecification, settings: BrokerSettings, shared: Shared) throws(ConfigurationError) {
        name = specification.name.text
        isolation = specification.isolation
        era = specification.era
        ownPort = specification.hostPort
        try settings.check(specification)
        let command = try specification.child()
        var logger = shared.logger
        logger[metadataKey: "server"] = "\(specification.name.text)"
        supervisor = ChildSupervisor(
            plan: Self.plan(command, settings: settings, redactor: shared.redactor), guardian: shared.guardian,
            loops: shared.loops, logger: logger)
        var ports = shared.ports(supervisor: supervisor, logger: logger)
        ports.observer = shared.observer
        var configuration = ServerConfiguration(Self.multiplexer(specification, settings: settings))
        configuration.replicas = specification.replicas
        configuration.isStateless = settings.stateless
        configuration.sessionsEndWithGeneration = settings.sessionsEndWithGeneration
        relay =
            switch specification.isolation {
            case .shared, .call, .pool: .shared(SharedServer(configuration, ports: ports))
            case .client: .client(ClientServer(configuration, ports: ports))
            }
    }

    struct Shared: Sendable {
        var guardian: GuardProcess
        var loops: any EventLoopGroup
        var redactor: SharedRedactor
        var sessionIDs: SessionIDs
        var callLog: (any CallLog)?
        var logger: Logger
        /// Is told which servers are up.
        var observer: (any ServerObserver)?

        func ports(supervisor: any UpstreamSupervisor, logger: Logger) -> ServerPorts {
            ServerPorts(
                supervisor: supervisor, sessionIDs: sessionIDs, callLog: callLog, logger: logger,
                now: { .now }, wallClock: { UInt64(max(0, Date.now.timeIntervalSince1970)) })
        }
    }

    private static func multiplexer(
        _ specification: ServerSpecification, settings: BrokerSettings
    ) -> Multiplexer.Configuration {
        var configuration = Multiplexer.Configuration(
            server: specification.name.text, isolation: specification.isolation, clientVersion: settings.version)
        configuration.era = specification.era
        configuration.callTimeout = specification.callTimeout ?? settings.callTimeout
        configuration.absoluteTimeout = max(settings.callAbsoluteTimeout, specification.callTimeout ?? .zero)
        configuration.startTimeout = settings.startTimeout
        configuration.provesTools = settings.provesTools
        configuration.outageIsUnavailable = settings.outageIsUnavailable
        if case .bearer = settings.authentication { configuration.solePrincipal = true }
        configuration.tools = ToolPolicy(server: specification.name, rules: settings.toolRules(of: specification))
        configuration.resultLimit = specification.resultLimit
        return configuration
    }

    /// Secrets are resolved each time a process starts, and told to the redactor before it runs.
    private static func plan(
        _ command: LodgeConfiguration.ChildSpecification, settings: BrokerSettings, redactor: SharedRedactor
    ) -> ChildPlan {
        var plan = ChildPlan { () throws(ChildPlan.Refusal) in
            let resolved: ResolvedChild
            do throws(ConfigurationError) {
                resolved = try command.resolve(environment: settings.environment) { path in
                    try PrivateFile.read(path, what: "secret file", whoeverMayRead: true)
                }
            } catch {
                throw ChildPlan.Refusal(error.description)
            }
            redactor.add(resolved.secrets)
            let environment = BuiltEnvironment.build(
                parent: settings.environment, explicit: resolved.environment.mapValues(\.value))
            return ChildPlan.Prepared(
                specification: ChildProcesses.ChildSpecification(
                    executable: resolved.command, arguments: resolved.arguments, environment: environment,
                    workingDirectory: resolved.workingDirectory),
                redactor: redactor)
        }
        plan.restartDelays = settings.restartDelays
        plan.restartReset = Defaults.restartReset.value
        plan.startTimeout = settings.startTimeout
        plan.lineLimit = Defaults.lineLimit.value
        plan.standardErrorPrefix = settings.standardErrorPrefix
        return plan
    }
}
