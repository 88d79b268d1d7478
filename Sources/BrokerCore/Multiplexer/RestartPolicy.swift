// SPDX-License-Identifier: Apache-2.0

/// Decides how long a server that ended stays down before it is started again.
///
/// It only decides; the supervisor acts. It reads no clock and does not look at exit codes: an ending is an ending,
/// and a start that fails counts as one.
package struct RestartPolicy: Sendable {
    /// The delays of consecutive endings; the last one repeats.
    private let delays: [Duration]
    /// A server that was up this long starts again from the first delay.
    private let resetAfter: Duration
    private var endings = 0

    package init(
        delays: [Duration] = [1, 2, 4, 8, 15].map { .seconds($0) }, resetAfter: Duration = .seconds(60)
    ) {
        self.delays = delays.isEmpty ? [.seconds(1)] : delays
        self.resetAfter = resetAfter
    }

    /// Records one ending and answers the delay before the next start.
    package mutating func ended(after uptime: Duration) -> Duration {
        if uptime >= resetAfter { endings = 0 }
        defer { endings += 1 }
        return delays[min(endings, delays.count - 1)]
    }
}
