// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import BrokerDaemon
import Logging

/// The flags of the log, for commands without a broker in them.
struct LogOptions: ParsableArguments {
    @Option(help: "What is logged: trace, debug, info, notice, warning, error or critical.")
    var logLevel: String = "notice"

    @Option(help: "How the log is written: text or json.")
    var logFormat: String = "text"

    func validate() throws {
        guard Logger.Level(rawValue: logLevel) != nil else {
            throw ValidationError(
                "--log-level '\(logLevel)' is not a level; use trace, debug, info, notice, warning, error or critical")
        }
        guard StandardErrorLog.Format(rawValue: logFormat) != nil else {
            throw ValidationError("--log-format '\(logFormat)' is not a format; use text or json")
        }
    }

    func logger(_ redactor: SharedRedactor) -> Logger {
        let level = Logger.Level(rawValue: logLevel) ?? .notice
        let format = StandardErrorLog.Format(rawValue: logFormat) ?? .text
        return Logger(label: "lodge") { label in
            StandardErrorLog(label: label, level: level, format: format, redaction: redactor)
        }
    }
}
