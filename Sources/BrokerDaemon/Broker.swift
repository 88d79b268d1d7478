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
    /// Opens with the port once the broker listens.
    private let bound = BoundPort()

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
    }

    /// One loop for every two cores: the relay's work is short, and a hop between loops costs more than it gains.
    private static var loopCount: Int { max(1, System.coreCount / 2) }

    /// The parts that have to run, in the order of their dependence.
    package var services: [any Service] {
        var all: [any Service] = [GuardService(guardian: guardian)]
        if let callLog { all.append(callLog) }
        all.append(gateway)
        all.append(SupervisorsService(servers: servers))
        all.append(SweepService(servers: servers, aggregate: aggregate))
        return all
    }

    /// The one grant of a broker in the foreground; tokens are known by their digest only.
    private var authentication: any Authenticating {
        switch settings.authentication {
        case .none: OpenAuthentication()
        case .bearer(let token, let principal):
            GrantAuthentication(GrantTable([token.digest: Grant(principal: Principal(name: principal))])) { token in
                TokenDigest(of: token)
            }
        }
    }

    private var gateway: GatewayService {
        var configuration = GatewayConfiguration(listen: .tcp(host: settings.host, port: settings.port))
        configuration.limits.requestBody = settings.bodyLimit
        configuration.limits.shutdownGrace = .seconds(1)
        configuration.hosts = HostRule(allowing: settings.allowedHosts)
        configuration.origins = OriginRule(allowing: settings.allowedOrigins)
        return GatewayService(
            configuration, servers: servers.map(\.relay.relay), aggregate: aggregate,
            authentication: authentication, group: loops, logger: logger
        ) { [bound] place in
            if case .tcp(_, let port) = place { bound.set(port) }
        }
    }

    /// Waits until the broker listens; nil when it never will.
    package func listeningPort() async -> Int? { await bound.wait() }

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

    /// Addresses of the servers, for what `--json` prints and what an agent is configured with.
    package func url(of server: String, port: Int) -> String {
        let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
        let path = servers.count == 1 ? "/mcp" : "/servers/\(server)/mcp"
        return "http://\(host):\(port)\(path)"
    }

    /// Names and addresses of the servers, in the order of their configuration.
    func servers(at port: Int) -> [(name: String, url: String)] {
        servers.map { (name: $0.name, url: url(of: $0.name, port: port)) }
    }

    /// The secrets that were resolved so far.
    package var knownSecrets: [String] { redactor.values }
}
