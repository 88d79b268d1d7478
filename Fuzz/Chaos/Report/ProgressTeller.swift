// SPDX-License-Identifier: Apache-2.0

/// Tells every few seconds how far a storm is, and how fast.
struct ProgressTeller {
    private static let interval: Duration = .seconds(5)

    let findings: Findings
    let what: String
    let total: Int
    private let start = ContinuousClock.now
    private var next = ContinuousClock.now + interval

    init(_ findings: Findings, what: String, total: Int) {
        self.findings = findings
        self.what = what
        self.total = total
    }

    mutating func tell(_ done: Int, now: ContinuousClock.Instant) {
        guard now >= next else { return }
        next = now + Self.interval
        let rate = Findings.grouped(rate(done, now: now))
        findings.tell("\(what): \(Findings.grouped(done)) of \(Findings.grouped(total)), \(rate)/s")
    }

    /// For each second so far.
    func rate(_ done: Int, now: ContinuousClock.Instant) -> Int {
        let milliseconds = Int(start.duration(to: now).wholeMilliseconds)
        return milliseconds > 0 ? done * 1_000 / milliseconds : 0
    }
}
