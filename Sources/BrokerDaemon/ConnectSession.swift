// SPDX-License-Identifier: Apache-2.0
import Foundation
import HTTPTransport
import LodgeConfiguration
package import Logging
import UnixSignals
import Upstreams

/// A remote server on this process's own standard input and output, until the input ends.
///
/// Standard output carries messages and nothing else.
package struct ConnectSession: Sendable {
    /// Why nothing was connected.
    package struct Failure: Error, Sendable {
        package var message: String
    }

    /// What ends it at once.
    private static let signals: [UnixSignal] = [.sigterm, .sigint, .sighup]

    private let settings: ConnectSettings
    private let redactor: SharedRedactor
    private let logger: Logger

    package init(_ settings: ConnectSettings, redactor: SharedRedactor, logger: Logger) {
        self.settings = settings
        self.redactor = redactor
        self.logger = logger
    }

    /// Relays until the input ends or a signal comes.
    ///
    /// - Returns: 0, or 3 where the first message was not authorized, 4 where nobody could be reached, 1 where it failed
    ///   otherwise.
    package func run() async throws(Failure) -> Int32 {
        let (server, transport) = try prepared()
        let limits = RemoteLimits(message: Defaults.responseLimit.value)
        let output = StandardOutputLines()
        let session = RemoteSession(server, transport: transport, output: output, limits: limits, logger: logger)
        let input = StandardInputLines(limit: limits.message)
        // A client that is gone is noticed by the write that fails.
        _ = signal(SIGPIPE, SIG_IGN)
        let signals = await UnixSignalsSequence(trapping: Self.signals)
        input.start()
        let status = await session.run(lines: input.lines, inputEnd: input.ended) {
            for await signal in signals {
                logger.debug("told to end", metadata: ["signal": "\(signal)"])
                return
            }
        }
        await transport.shutDown()
        return status
    }

    private func prepared() throws(Failure) -> (RemoteServer, HTTPTransport) {
        let address: WebAddress
        do { address = try WebAddress(settings.url) } catch { throw Failure(message: error.message) }
        for field in settings.headers {
            guard field.isValid else {
                throw Failure(
                    message: "the header '\(field.name)' cannot be sent; its name or value has other characters")
            }
            let name = "header \(field.name)"
            redactor.add([(name: name, value: field.value)])
            // Of an authorization, what stands behind its scheme is the secret.
            if let mark = field.value.firstIndex(of: " ") {
                redactor.add([(name: name, value: String(field.value[field.value.index(after: mark)...]))])
            }
        }
        do {
            var transport = HTTPTransport.Settings()
            transport.verification = settings.verification
            transport.proxy = try ForwardProxy.named(for: address, in: settings.environment)
            if settings.verification == .off {
                logger.warning("the server's certificate is not verified; others could read and change everything")
            }
            var fields = settings.headers
            if !fields.contains(where: { $0.name.lowercased() == "user-agent" }) {
                // Some servers refuse clients that do not say what they are.
                fields.append(HTTPField("User-Agent", "lodge"))
            }
            let server = RemoteServer(address: address, wire: settings.transport, fields: fields)
            return (server, try HTTPTransport(transport))
        } catch {
            throw Failure(message: error.message)
        }
    }
}
