// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
import Hummingbird
import HummingbirdCore
package import Logging
package import NIOCore
import ServiceLifecycle

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Listens, and relays between clients and the servers of one broker.
///
/// It does not own the servers: they outlive it, and are ended by whoever made them. `run()` returns when the gateway
/// was shut down gracefully (it stops accepting, ends the sessions' streams, gives calls in flight two seconds) and
/// throws where it cannot listen.
package struct GatewayService: Service {
    /// Where the gateway can be reached once it listens.
    package enum Bound: Sendable, Hashable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    /// What the gateway holds right now.
    package let meters: GatewayMeters
    private let configuration: GatewayConfiguration
    private let core: GatewayCore
    private let group: any EventLoopGroup
    private let onBound: @Sendable (Bound) async -> Void

    /// - Parameter meters: those of another gateway of the same broker, for the two to count together.
    package init(
        _ configuration: GatewayConfiguration, servers: [any ServerRelay], aggregate: (any ServerRelay)? = nil,
        authentication: any Authenticating, group: any EventLoopGroup, logger: Logger,
        meters: GatewayMeters = GatewayMeters(),
        onBound: @escaping @Sendable (Bound) async -> Void
    ) {
        self.configuration = configuration
        self.meters = meters
        self.group = group
        self.onBound = onBound
        core = GatewayCore(
            policy: RequestPolicy(
                hosts: configuration.hosts, origins: configuration.origins, authentication: authentication),
            routes: RouteTable(
                servers, defaultServer: configuration.defaultServer, defaultPath: configuration.defaultPath,
                aliases: configuration.aliases, aggregate: aggregate),
            limits: configuration.limits, meters: meters, logger: logger, version: configuration.version,
            started: UInt64(max(0, time(nil))), process: configuration.process,
            exposedHeaders: configuration.exposedHeaders.joined(separator: ", "),
            healthIsReadiness: configuration.healthIsReadiness, readsLeniently: configuration.readsLeniently)
    }

    package func run() async throws {
        // Hummingbird says in words of its own where it listens; that is `onBound`'s business.
        var hummingbirdLogger = core.logger
        hummingbirdLogger.logLevel = max(.warning, core.logger.logLevel)
        let core = core
        let application = Application(
            responder: GatewayResponder(core: core),
            server: HTTPServerBuilder { RelayChannel(core: core, responder: $0) },
            configuration: ApplicationConfiguration(address: address),
            onServerRunning: { await self.listening(on: $0) },
            eventLoopGroupProvider: .shared(group),
            logger: hummingbirdLogger)
        defer {
            core.streams.closeAll()
            removeSocketFile()
        }
        try await application.run()
    }

    private var address: BindAddress {
        switch configuration.listen {
        case .tcp(let host, let port): .hostname(host, port: port)
        case .unix(let path): .unixDomainSocket(path: path)
        }
    }

    private func listening(on channel: any Channel) async {
        switch configuration.listen {
        case .tcp(let host, let port):
            await onBound(.tcp(host: host, port: channel.localAddress?.port ?? port))
        case .unix(let path):
            // The string outlives the call, as with unlink below.
            if unsafe chmod(path, 0o600) != 0 {
                core.logger.error("socket file could not be closed to others", metadata: ["path": "\(path)"])
            }
            await onBound(.unix(path: path))
        }
    }

    private func removeSocketFile() {
        guard case .unix(let path) = configuration.listen else { return }
        _ = unsafe unlink(path)
    }
}
