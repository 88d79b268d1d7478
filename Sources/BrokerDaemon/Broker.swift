// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
import ChildProcesses
import Gateway
package import LodgeConfiguration
package import Logging
import NIOCore
import NIOPosix
import Secrets
package import ServiceLifecycle

/// The composition root: every part of a running broker, wired once.
///
/// It holds the order in which parts stop: the servers' processes first, so that every call in flight gets an answer,
/// the server's own or the reason, while the HTTP surface still stands; then that surface; then the guard. It does not
/// read flags and does not choose signals.
package final class Broker: Sendable {
    private let settings: BrokerSettings
    private let servers: [ServerAssembly]
    /// All of them in one endpoint.
    private let aggregate: AggregateServer
    /// They end with the process: Hummingbird still asks for a loop in a task of its own after its server has returned.
    private let loops: MultiThreadedEventLoopGroup
    let guardian: GuardProcess
    private let callLog: CallLogWriter?
    private let redactor: SharedRedactor
    private let logger: Logger
    private let meters = GatewayMeters()
    /// The broker's own place first, then those of single servers.
    private let listeners: [Listener]

    package init(_ settings: BrokerSettings, redactor: SharedRedactor, logger: Logger) throws(ConfigurationError) {
        self.settings = settings
        self.redactor = redactor
        self.logger = logger
        if case .bearer(let token, _) = settings.authentication {
            redactor.add([(name: "grant token", value: token.value)])
        }
        loops = MultiThreadedEventLoopGroup(numberOfThreads: Self.loopCount)
        guardian = GuardProcess { problem in logger.warning("\(problem)") }
        callLog = settings.logsCalls ? CallLogWriter(logger: logger) : nil
        var shared = ServerAssembly.Shared(
            guardian: guardian, loops: loops, redactor: redactor,
            sessionIDs: SessionIDs(signing: SessionSigner(.random())), callLog: callLog, logger: logger)
        aggregate = AggregateServer(
            version: settings.version, ports: shared.ports(supervisor: NoUpstreams(), logger: logger),
            delays: LoopDelays(loops))
        shared.observer = aggregate
        var servers: [ServerAssembly] = []
        for specification in settings.servers {
            servers.append(try ServerAssembly(specification, settings: settings, shared: shared))
        }
        self.servers = servers
        aggregate.setMembers(servers.map { AggregateMember($0.relay.relay, isolation: $0.isolation) })
        let authentication = Self.authentication(settings)
        let meters = meters
        let loops = loops
        let aggregate = aggregate
        func listener(_ relays: [any ServerRelay], port: Int, server: String?) -> Listener {
            let bound = BoundPort()
            let gateway = GatewayService(
                Self.gateway(settings, port: port, defaultServer: server ?? settings.defaultServer), servers: relays,
                aggregate: server == nil ? aggregate : nil, authentication: authentication, group: loops,
                logger: logger,
                meters: meters
            ) { place in
                if case .tcp(_, let port) = place { bound.set(port) }
            }
            return Listener(gateway: gateway, host: settings.host, port: port, server: server, bound: bound)
        }
        listeners =
            [listener(servers.map(\.relay.relay), port: settings.port, server: nil)]
            + servers.compactMap { server in
                server.ownPort.map { listener([server.relay.relay], port: $0, server: server.name) }
            }
    }

    /// One loop for every two cores: the relay's work is short, and a hop between loops costs more than it gains.
    private static var loopCount: Int { max(1, System.coreCount / 2) }

    /// The parts that have to run, in the order of their dependence.
    package var services: [any Service] {
        var all: [any Service] = [GuardService(guardian: guardian)]
        if let callLog { all.append(callLog) }
        all += listeners
        all.append(SupervisorsService(servers: servers))
        all.append(SweepService(servers: servers, aggregate: aggregate))
        return all
    }

    /// The one grant of a broker in the foreground; tokens are known by their digest only.
    private static func authentication(_ settings: BrokerSettings) -> any Authenticating {
        switch settings.authentication {
        case .none: OpenAuthentication()
        case .bearer(let token, let principal):
            GrantAuthentication(GrantTable([token.digest: Grant(principal: Principal(name: principal))])) { token in
                TokenDigest(of: token)
            }
        }
    }

    /// What every listener is told, wherever it listens.
    private static func gateway(
        _ settings: BrokerSettings, port: Int, defaultServer: String?
    ) -> GatewayConfiguration {
        var configuration = GatewayConfiguration(listen: .tcp(host: settings.host, port: port))
        configuration.defaultServer = defaultServer
        configuration.limits.requestBody = settings.bodyLimit
        configuration.limits.shutdownGrace = .seconds(1)
        configuration.defaultPath = settings.defaultPath
        configuration.aliases = settings.aliases
        configuration.hosts = settings.allowsAnyHost ? .any : HostRule(allowing: settings.allowedHosts)
        configuration.exposedHeaders = settings.exposedHeaders
        configuration.healthIsReadiness = settings.healthIsReadiness
        configuration.readsLeniently = settings.readsLeniently
        configuration.origins = OriginRule(allowing: settings.allowedOrigins)
        configuration.version = settings.version
        configuration.process = { ProcessFigures.ofThisProcess() }
        return configuration
    }

    /// Waits until the broker listens wherever it should, and answers its own port; nil when it never will.
    package func listeningPort() async -> Int? {
        var ports: [Int] = []
        for listener in listeners {
            guard let port = await listener.bound.wait() else { return nil }
            ports.append(port)
        }
        return ports.first
    }

    /// Starts the servers; their order does not matter, they start at once.
    package func startServers() {
        for server in servers { server.relay.start() }
    }

    /// Waits for the first outcome of every server's start.
    package func firstOutcomes() async -> [(server: String, outcome: StartGate.Outcome)] {
        await withTaskGroup(of: (Int, StartGate.Outcome?).self) { group in
            for (index, server) in servers.enumerated() {
                group.addTask { (index, await server.relay.gate.wait()) }
            }
            var outcomes = [StartGate.Outcome?](repeating: nil, count: servers.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return zip(servers, outcomes).map { ($0.name, $1 ?? .failed("the start was given up")) }
        }
    }

    /// Waits until every server has started, or the first one has not; answers that one.
    package func firstFailure() async -> (server: String, reason: String)? {
        await withTaskGroup(of: (String, StartGate.Outcome?).self) { group in
            for server in servers { group.addTask { (server.name, await server.relay.gate.wait()) } }
            for await (name, outcome) in group {
                guard case .failed(let reason)? = outcome else { continue }
                group.cancelAll()
                return (name, reason)
            }
            return nil
        }
    }

    package var statuses: [ServerStatus] { servers.map { $0.relay.relay.status() } }

    /// The address of a server, for what `--json` prints and what an agent is configured with.
    package func url(of server: String, port: Int) -> String {
        let isDefault = servers.count == 1 || server == settings.defaultServer && settings.defaultPath != nil
        return address(port: port, path: isDefault ? settings.defaultPath ?? "/mcp" : "/servers/\(server)/mcp")
    }

    private func address(port: Int, path: String) -> String {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        return "http://\(host):\(port)\(path)"
    }

    /// The servers with their addresses, in the order of their configuration.
    func servers(at port: Int) -> [ServedServer] {
        servers.map { server in
            var served = ServedServer(
                name: server.name, url: url(of: server.name, port: port), isolation: server.isolation)
            served.era = server.era
            served.ownURL = server.ownPort.map { address(port: $0, path: "/mcp") }
            if servers.count > 1, settings.defaultServer == server.name {
                served.defaultURL = address(port: port, path: "/mcp")
            }
            return served
        }
    }

    /// The secrets that were resolved so far.
    package var knownSecrets: [String] { redactor.values }
}
