// SPDX-License-Identifier: Apache-2.0

/// How many calls ended in each way; plain numbers, since the multiplexer counts under its own lock.
package struct OutcomeCounts: Sendable, Hashable {
    private var answered = 0
    private var error = 0
    private var refused = 0
    private var failed = 0
    private var cancelled = 0
    private var timedOut = 0

    package init() {}

    package subscript(outcome: CallRecord.Outcome) -> Int {
        get {
            switch outcome {
            case .answered: answered
            case .error: error
            case .refused: refused
            case .failed: failed
            case .cancelled: cancelled
            case .timedOut: timedOut
            }
        }
        set {
            switch outcome {
            case .answered: answered = newValue
            case .error: error = newValue
            case .refused: refused = newValue
            case .failed: failed = newValue
            case .cancelled: cancelled = newValue
            case .timedOut: timedOut = newValue
            }
        }
    }

    mutating func add(_ other: Self) {
        for outcome in CallRecord.Outcome.allCases { self[outcome] += other[outcome] }
    }
}
