// SPDX-License-Identifier: Apache-2.0

/// Turns the bytes of a child's standard error into lines for a sink and a tail, both bounded.
///
/// The tail sees every line, also those that the rate limit keeps from the sink. It does no I/O and reads no clock.
struct StandardErrorLog: Sendable {
    private var splitter = LineSplitter(limit: 8 * 1024)
    private var limit: LineRateLimit
    private(set) var tail = LineTail()

    init(limit: LineRateLimit = LineRateLimit()) { self.limit = limit }

    /// When `summary(at:)` has something to say; nil while no line is dropped.
    var summaryDue: Duration? { limit.summaryDue }

    /// Takes the next bytes and answers the lines for the sink.
    ///
    /// Lines that neither the sink nor the tail will hold are only counted, never copied: that keeps a flood cheap.
    mutating func take(_ chunk: [UInt8], at now: Duration) -> [String] {
        let ends = splitter.ends(in: chunk)
        let admitted = limit.admit(ends.count, at: now)
        let tailStart = max(0, ends.count - tail.lineLimit)
        var passing: [String] = []
        for index in 0..<admitted {
            let text = splitter.line(index, endingAt: ends, of: chunk).text
            passing.append(text)
            if index >= tailStart { tail.append(text) }
        }
        for index in max(admitted, tailStart)..<max(ends.count, admitted) {
            tail.append(splitter.line(index, endingAt: ends, of: chunk).text)
        }
        splitter.keepRest(of: chunk, after: ends)
        if let summary = limit.takeSummary(at: now) { passing.append(summary) }
        return passing
    }

    /// Answers the summary of dropped lines if it is due.
    mutating func summary(at now: Duration) -> String? { limit.takeSummary(at: now) }

    /// Answers the last line if it lacks its newline, past the rate limit: a dying child's last words count most.
    mutating func flush() -> [String] {
        guard let line = splitter.finish() else { return [] }
        tail.append(line.text)
        return [line.text]
    }

    /// Answers what is left when the stream ended.
    mutating func finish(at now: Duration) -> [String] {
        flush() + (limit.takeSummary(at: now, force: true).map { [$0] } ?? [])
    }
}
