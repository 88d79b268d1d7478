// SPDX-License-Identifier: Apache-2.0

/// The defaults as rows of text, from which help and the reference page are made.
package enum DefaultsTable {
    /// One default as people read it.
    package struct Row: Hashable, Sendable {
        package let key: String
        /// With its unit, as in `4 MiB` or `30 min`.
        package let value: String
        package let text: String
    }

    /// Every default, in the order of the reference page.
    package static let rows: [Row] = [
        row(Defaults.listenPort), row(Defaults.bodyLimit), row(Defaults.lineLimit), row(Defaults.responseLimit),
        row(Defaults.callTimeout), row(Defaults.callAbsoluteTimeout), row(Defaults.startTimeout),
        row(Defaults.sessionIdle), row(Defaults.sessionAbsolute), row(Defaults.sessionCap), row(Defaults.keepAlive),
        row(Defaults.writeStall), row(Defaults.answerBecomesStream), row(Defaults.replayWindow),
        row(Defaults.replayEvents), row(Defaults.replayBytes), row(Defaults.teardownAfterInput),
        row(Defaults.teardownAfterTerminate), row(Defaults.restartDelays), row(Defaults.restartReset),
        row(Defaults.clientUpstreamCap), row(Defaults.clientUpstreamIdle), row(Defaults.poolReplicas),
    ]

    /// Writes a length of time as it stands in the table.
    package static func text(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        if seconds >= 3600 * 24, seconds.isMultiple(of: 3600) { return "\(seconds / 3600) h" }
        if seconds >= 600, seconds < 3600, seconds.isMultiple(of: 60) { return "\(seconds / 60) min" }
        return "\(seconds) s"
    }

    private static func row(_ item: Default<Duration>) -> Row {
        Row(key: item.key, value: text(item.value), text: item.text)
    }

    private static func row(_ item: Default<[Duration]>) -> Row {
        let seconds = item.value.map { "\($0.components.seconds)" }.joined(separator: ", ")
        return Row(key: item.key, value: "\(seconds) s", text: item.text)
    }

    private static func row(_ item: Default<Int>) -> Row {
        let value =
            switch item.unit {
            case .bytes: "\(item.value >> 20) MiB"
            case .port, .count, .seconds: "\(item.value)"
            }
        return Row(key: item.key, value: value, text: item.text)
    }
}
