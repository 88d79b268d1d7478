// SPDX-License-Identifier: Apache-2.0
import Foundation
package import Logging
import Secrets
import Synchronization

/// Writes Lodge's own log to standard error, one line an event, with every known secret taken out.
///
/// It is not the audit. Lines are handed over whole, so that those of several threads never mix, and nobody who logs
/// waits for their reader.
package struct StandardErrorLog: LogHandler {
    package enum Format: String, Sendable, CaseIterable {
        case text, json
    }

    package var logLevel: Logger.Level
    package var metadata: Logger.Metadata = [:]
    private let label: String
    private let format: Format
    private let redaction: SharedRedactor

    package init(label: String, level: Logger.Level, format: Format, redaction: SharedRedactor) {
        self.label = label
        logLevel = level
        self.format = format
        self.redaction = redaction
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let dropped = StandardErrorWriter.shared.write(Array((line(for: event, at: .now) + "\n").utf8))
        if dropped > 0 {
            log(
                event: LogEvent(
                    level: .warning, message: "log lines dropped because nobody read them",
                    metadata: ["count": "\(dropped)"], source: event.source, file: #fileID, function: #function,
                    line: #line))
        }
    }

    /// What is written for an event, without the line feed.
    func line(for event: LogEvent, at time: Date) -> String {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        // Before they are quoted: a secret with a quotation mark or a line feed in it is not found afterwards.
        let fields = all.sorted { $0.key < $1.key }.map { ($0.key, redaction.redact("\($0.value)")) }
        let message = redaction.redact("\(event.message)")
        return switch format {
        case .text: text(time, event.level, message, fields)
        case .json: json(time, event.level, message, fields)
        }
    }

    private func text(
        _ time: Date, _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var line = "\(Self.stamp(time)) \(level.rawValue) \(label): \(Self.oneLine(message))"
        for (key, value) in fields { line += " \(key)=\(Self.quoted(value))" }
        return line
    }

    private func json(
        _ time: Date, _ level: Logger.Level, _ message: String, _ fields: [(String, String)]
    ) -> String {
        var members = [("time", Self.stamp(time)), ("level", level.rawValue), ("logger", label), ("message", message)]
        members += fields
        return "{" + members.map { "\(Self.jsonString($0.0)):\(Self.jsonString($0.1))" }.joined(separator: ",") + "}"
    }

    private static func stamp(_ time: Date) -> String {
        time.formatted(
            .iso8601.year().month().day().time(includingFractionalSeconds: true).timeZone(separator: .omitted))
    }

    /// Control characters of servers must not move the reader's cursor or forge a line.
    private static func oneLine(_ text: String) -> String {
        var line = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { line.append(scalar.properties.generalCategory == .control ? " " : scalar) }
        return String(line)
    }

    private static func quoted(_ text: String) -> String {
        let plain = oneLine(text)
        // Scalars, since a quotation mark that an accent follows is another character and still ends the quotes.
        let scalars = plain.unicodeScalars
        guard scalars.contains(where: { $0 == " " || $0 == "\"" || $0 == "=" }) || plain.isEmpty else { return plain }
        var out = String.UnicodeScalarView()
        for scalar in scalars {
            if scalar == "\"" || scalar == "\\" { out.append("\\") }
            out.append(scalar)
        }
        return "\"" + String(out) + "\""
    }

    private static func jsonString(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case _ where scalar.value < 0x20:
                let code = String(scalar.value, radix: 16)
                out += "\\u" + String(repeating: "0", count: 4 - code.count) + code
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}

/// The redactor of everything that leaves through the log; it grows with each secret that is resolved.
package final class SharedRedactor: Redacting {
    private struct State {
        var secrets: [String: String] = [:]
        var redactor = Redactor([])
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds the secrets of one server; a value that changed is kept beside the new one.
    package func add(_ secrets: [(name: String, value: String)]) {
        state.withLock { state in
            let before = state.secrets.count
            for secret in secrets { state.secrets[secret.value] = secret.name }
            guard state.secrets.count != before else { return }
            state.redactor = Redactor(state.secrets.map { (name: $0.value, value: $0.key) })
        }
    }

    package func redact(_ text: String) -> String {
        state.withLock { $0.redactor }.redact(text)
    }

    /// Every value that must not be seen, for building an agent's environment.
    package var values: [String] { state.withLock { Array($0.secrets.keys) } }
}
