// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Foundation
import LodgeConfiguration
import Logging

/// The flags that every command with a broker in it has in common.
struct BrokerOptions: ParsableArguments {
    @Option(help: "How long a call may go without an answer or progress, in seconds.")
    var callTimeout: Double = Defaults.callTimeout.value.inSeconds

    @Option(help: "How long a call may take in all, in seconds.")
    var callTimeoutAbsolute: Double = Defaults.callAbsoluteTimeout.value.inSeconds

    @Option(help: "How long a server may take to start, in seconds.")
    var startTimeout: Double = Defaults.startTimeout.value.inSeconds

    @Option(help: "The longest request body, in bytes.")
    var bodyLimit: Int = Defaults.bodyLimit.value

    @Option(help: "The waits before a server that ended is started again, in seconds; the last one repeats.")
    var restartDelays: String = Defaults.restartDelays.value.map { "\(Int($0.inSeconds))" }.joined(separator: ",")

    @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "info"

    @Option(help: "How the log is written: text or json.")
    var logFormat: String = "text"

    func validate() throws {
        guard [callTimeout, callTimeoutAbsolute, startTimeout].allSatisfy({ $0 > 0 && $0 <= 1_000_000 }) else {
            throw ValidationError("a timeout must be more than 0 and at most 1000000 seconds")
        }
        guard bodyLimit > 0 else { throw ValidationError("--body-limit must be at least 1 byte") }
        guard delays != nil else {
            throw ValidationError("--restart-delays '\(restartDelays)' is not a list of seconds; write 1,2,4,8,15")
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError(
                "--log-level '\(logLevel)' is not a level; use trace, debug, info, notice, warning, error or critical")
        }
        guard StandardErrorLog.Format(rawValue: logFormat) != nil else {
            throw ValidationError("--log-format '\(logFormat)' is not a format; use text or json")
        }
    }

    private var delays: [Duration]? {
        let parts = restartDelays.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
        guard !parts.isEmpty, parts.allSatisfy({ $0.map { $0 >= 0 && $0 <= 86400 } ?? false }) else { return nil }
        return parts.compactMap { $0.map { .seconds($0) } }
    }

    /// Writes the flags into the settings of a broker.
    func apply(to settings: inout BrokerSettings) {
        settings.callTimeout = .seconds(callTimeout)
        settings.callAbsoluteTimeout = .seconds(callTimeoutAbsolute)
        settings.startTimeout = .seconds(startTimeout)
        settings.bodyLimit = bodyLimit
        settings.restartDelays = delays ?? Defaults.restartDelays.value
    }

    func logger(_ redactor: SharedRedactor) -> Logger {
        let level = Logger.Level(rawValue: logLevel) ?? .info
        let format = StandardErrorLog.Format(rawValue: logFormat) ?? .text
        return Logger(label: "lodge") { label in
            StandardErrorLog(label: label, level: level, format: format, redaction: redactor)
        }
    }
}

extension Duration {
    var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
