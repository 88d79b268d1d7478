// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Foundation
import HTTPTransport
import Logging
import Upstreams

/// A server that is reached by HTTP, for a client that only speaks stdio.
struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Put a remote MCP server on this process's own standard input and output.",
        usage: "lodge connect [<options>] <url>",
        discussion: "Each line of the input is a message to the server, each line of the output one of the server's; "
            + "the log goes to standard error. HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured.")

    @Argument(help: "The server's endpoint: http:// or https://.")
    var url: String

    @Option(help: "http: Streamable HTTP; sse: the older HTTP+SSE; auto: by the path, then by the server's answer.")
    var transport: RemoteServer.Wire = .auto

    @Option(
        name: .customLong("header"), help: "Send this header with every request: 'Name: value'; repeat for several.")
    var headers: [String] = []

    @Option(
        name: .customLong("header-env"),
        help: "Send a header with the value of an environment variable: 'Name=VARIABLE'; repeat for several.")
    var headerVariables: [String] = []

    @Option(help: "Send the bearer token that stands in this environment variable.")
    var tokenEnv: String?

    @Flag(inversion: .prefixedNo, help: "Verify the server's certificate.")
    var verifyTLS = true

    @Option(help: "Verify the server's certificate against the authorities of this PEM file alone.")
    var caFile: String?

    @OptionGroup(title: "Log") var log: LogOptions

    func validate() throws {
        guard verifyTLS || caFile == nil else {
            throw ValidationError("--ca-file and --no-verify-tls exclude each other; give one")
        }
    }

    func run() async throws {
        let environment = ProcessInfo.processInfo.environment
        let redactor = SharedRedactor()
        let logger = log.logger(redactor)
        var settings = ConnectSettings(url: url, environment: environment)
        settings.transport = transport
        settings.verification = verifyTLS ? caFile.map { .authorities(file: $0) } ?? .system : .off
        settings.headers = try RequestHeaders.read(headers, variables: headerVariables, environment: environment)
        for header in RequestHeaders.exposed(headers) {
            logger.warning(
                "a credential on the command line can be seen in the process list; use --token-env or --header-env",
                metadata: ["header": "\(header)"])
        }
        if let tokenEnv { settings.authorize(with: try token(tokenEnv, environment)) }
        do {
            let status = try await ConnectSession(settings, redactor: redactor, logger: logger).run()
            throw ExitCode(status)
        } catch let failure as ConnectSession.Failure {
            throw CommandFailure(message: failure.message, status: 2)
        }
    }

    private func token(_ name: String, _ environment: [String: String]) throws -> String {
        guard let value = environment[name], !value.isEmpty else {
            throw CommandFailure(
                message: "--token-env \(name) names a variable that is not set or empty",
                hints: ["export \(name), or leave --token-env out"], status: 2)
        }
        return value
    }
}

extension RemoteServer.Wire: ExpressibleByArgument {}
