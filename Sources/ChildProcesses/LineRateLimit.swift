// SPDX-License-Identifier: Apache-2.0

/// Decides how many lines of a flood are let through, and when the others are told of by number.
///
/// It reads no clock: callers pass `now`, a time since any fixed moment. It drops nothing itself.
struct LineRateLimit: Sendable {
    /// In lines.
    let burst: Double
    /// In lines a second.
    let rate: Double
    /// How long dropped lines may stay untold, so that a flood makes one summary a second and not one a line.
    static let summaryDelay: Duration = .seconds(1)

    private var tokens: Double
    private var last: Duration?
    private var dropped = 0
    private var firstDrop: Duration?

    init(burst: Int = 1000, linesPerSecond: Int = 200) {
        self.burst = Double(burst)
        self.rate = Double(linesPerSecond)
        tokens = Double(burst)
    }

    /// Answers how many of the next `count` lines pass; the others count as dropped.
    mutating func admit(_ count: Int, at now: Duration) -> Int {
        if let last, now > last { tokens = min(burst, tokens + (now - last) / .seconds(1) * rate) }
        last = now
        let passing = min(count, Int(tokens))
        tokens -= Double(passing)
        if passing < count {
            dropped += count - passing
            if firstDrop == nil { firstDrop = now }
        }
        return passing
    }

    /// When the summary of dropped lines is due; nil while none is dropped.
    var summaryDue: Duration? { firstDrop.map { $0 + Self.summaryDelay } }

    /// Answers the summary if it is due, or due or not when `force` is set, and forgets what it counted.
    mutating func takeSummary(at now: Duration, force: Bool = false) -> String? {
        guard let due = summaryDue, force || now >= due else { return nil }
        defer { (dropped, firstDrop) = (0, nil) }
        return "… \(dropped) lines dropped"
    }
}
