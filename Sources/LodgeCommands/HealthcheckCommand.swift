// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import LodgeConfiguration

/// Asks a broker whether its servers can be used: exit status 0 or 1, within 3 seconds.
struct HealthcheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "healthcheck", abstract: "Exit with 0 if the servers of a broker can be used, else with 1.")

    @Option(help: "Where the broker listens: HOST:PORT.")
    var address = ListenAddress(host: "127.0.0.1", port: Defaults.listenPort.value)

    @Flag(help: "Ask only whether the broker itself is alive.")
    var live = false

    func run() async throws {
        let host = ["0.0.0.0", "::", ""].contains(address.host) ? "127.0.0.1" : address.host
        let probe = HealthProbe(host: host, port: address.port, path: live ? "/healthz" : "/readyz")
        let answer = await probe.ask(within: .seconds(3))
        guard answer == 200 else {
            let state = answer.map { "answered \($0)" } ?? "did not answer"
            throw CommandFailure(message: "the broker at \(host):\(address.port) \(state)")
        }
    }
}
