// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a run has counted and found wrong, told at its end as one table.
///
/// Violations are written to standard error as they come; past a bound they are only counted.
final class Findings {
    private struct Row {
        var phase: String
        var what: String
        var value: String
    }

    private static let shownViolations = 40

    /// What is going on; every row and violation gets it.
    var phase = ""
    private var rows: [Row] = []
    private var counts: [String: Int] = [:]
    private(set) var violations = 0
    private let seed: UInt64

    private let isQuiet: Bool

    init(seed: UInt64, isQuiet: Bool = false) {
        self.seed = seed
        self.isQuiet = isQuiet
    }

    func total(_ what: String) -> Int { counts["\(phase)/\(what)", default: 0] }

    /// Adds to a count of the phase.
    func count(_ what: String, _ number: Int) {
        let key = "\(phase)/\(what)"
        counts[key, default: 0] += number
        let value = Self.grouped(counts[key, default: 0])
        if let place = rows.firstIndex(where: { $0.phase == phase && $0.what == what }) {
            rows[place].value = value
        } else {
            rows.append(Row(phase: phase, what: what, value: value))
        }
    }

    /// Puts a row that is no count.
    func note(_ what: String, _ value: String) { rows.append(Row(phase: phase, what: what, value: value)) }

    func violation(_ what: String) {
        violations += 1
        if violations <= Self.shownViolations { tell("VIOLATION (\(phase), seed \(seed)): \(what)") }
    }

    /// Says something on the way.
    func tell(_ text: String) { if !isQuiet { Descriptor.standardError.print(text) } }

    var table: String {
        let all = rows + [Row(phase: "all", what: "violations", value: Self.grouped(violations))]
        let phases = all.map(\.phase.count).max() ?? 0
        let names = all.map(\.what.count).max() ?? 0
        let values = all.map(\.value.count).max() ?? 0
        return all.map { row in
            Self.padded(row.phase, phases) + "  " + Self.padded(row.what, names) + "  "
                + String(repeating: " ", count: values - row.value.count) + row.value
        }.joined(separator: "\n")
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: width - text.count)
    }

    /// `10,000,000`
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (place, digit) in String(number).reversed().enumerated() {
            if place > 0, place % 3 == 0, digit != "-" { text.append(",") }
            text.append(digit)
        }
        return String(text.reversed())
    }
}
