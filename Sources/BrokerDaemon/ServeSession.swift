// SPDX-License-Identifier: Apache-2.0
import BrokerCore
package import Logging
import ServiceLifecycle
import LodgeConfiguration
import UnixSignals

/// A broker in the foreground, from its start to the signal that ends it.
package struct ServeSession: Sendable {
    /// Why nothing is served.
    package struct Failure: Error, Sendable {
        package var message: String
        package var hints: [String]
    }

    private let settings: BrokerSettings
    private let redactor: SharedRedactor
    private let logger: Logger

    package init(_ settings: BrokerSettings, redactor: SharedRedactor, logger: Logger) {
        self.settings = settings
        self.redactor = redactor
        self.logger = logger
    }

    /// Serves until SIGTERM or SIGINT; returns when nothing is left running.
    package func run(_ announcement: ServeAnnouncement) async throws {
        let broker: Broker
        do {
            broker = try Broker(settings, redactor: redactor, logger: logger)
        } catch {
            throw Failure(message: error.description, hints: [])
        }
        broker.startServers()
        let announcing = Announcing(broker: broker, announcement: announcement, logger: logger)
        var configuration = ServiceGroupConfiguration(
            services: (broker.services + [announcing]).map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger.quieter)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            throw Failure(
                message: "cannot serve on \(settings.host):\(settings.port): \(error)",
                hints: ["if the port is taken, choose another with --listen, or 0 for a free one"])
        }
    }
}

/// Says that the broker is ready once it is, and then waits for the end.
private struct Announcing: Service {
    let broker: Broker
    let announcement: ServeAnnouncement
    let logger: Logger

    func run() async throws {
        try await cancelWhenGracefulShutdown {
            guard let port = await broker.listeningPort() else { return }
            for (server, outcome) in await broker.firstOutcomes() {
                guard case .failed(let reason) = outcome else { continue }
                logger.warning("server did not start", metadata: ["server": "\(server)", "reason": "\(reason)"])
            }
            try Task.checkCancellation()
            try announcement.make(servers: broker.servers(at: port))
        }
        try await gracefulShutdown()
    }
}

extension Logger {
    /// The same log, without the housekeeping of libraries.
    var quieter: Logger {
        var logger = self
        logger.logLevel = max(logLevel, .warning)
        return logger
    }
}
