// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Glibc
import LodgeConfiguration
package import Logging
import ServiceLifecycle
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

    /// Whether lodge was started to outlive its terminal, as nohup does it.
    private var isHangUpIgnored: Bool {
        var action = sigaction()
        // Sound: the call only writes the disposition of now into the value; SIG_IGN is the handler's word 1.
        guard unsafe sigaction(SIGHUP, nil, &action) == 0 else { return false }
        return unsafe unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1
    }

    /// Serves until SIGTERM, SIGINT or SIGHUP; returns when nothing is left running.
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
            gracefulShutdownSignals: [.sigterm, .sigint] + (isHangUpIgnored ? [] : [.sighup]), logger: logger.quieter)
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            throw failure(error)
        }
    }
}

extension ServeSession {
    private func failure(_ error: any Error) -> Failure {
        if let failure = error as? Failure { return failure }
        if let failure = error as? ListenFailure { return Failure(message: failure.message, hints: failure.hints) }
        return Failure(message: "serving ended: \(error)", hints: [])
    }
}

/// Says that the broker is ready once it is, and then waits for the end.
private struct Announcing: Service {
    let broker: Broker
    let announcement: ServeAnnouncement
    let logger: Logger

    func run() async throws {
        defer { announcement.takeBack() }
        try await cancelWhenGracefulShutdown {
            guard let port = await broker.listeningPort() else { return }
            for (server, outcome) in await broker.firstOutcomes() {
                guard !Task.isCancelled else { return }
                guard case .failed(let reason) = outcome else { continue }
                logger.warning("server did not start", metadata: ["server": "\(server)", "reason": "\(reason)"])
            }
            // A broker that is told to end before it was ready has nothing to announce.
            guard !Task.isCancelled else { return }
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
