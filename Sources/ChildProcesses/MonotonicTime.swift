// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// The time since a fixed moment, for code that runs on dispatch queues.
enum MonotonicTime {
    private static let origin = ContinuousClock.now

    @Sendable static func now() -> Duration { origin.duration(to: .now) }
}

extension Duration {
    /// Rounded up to a microsecond, never negative.
    var dispatchInterval: DispatchTimeInterval {
        let (seconds, attoseconds) = components
        let microseconds = seconds * 1_000_000 + (attoseconds + 999_999_999_999) / 1_000_000_000_000
        return .microseconds(max(0, Int(microseconds)))
    }
}
