// SPDX-License-Identifier: Apache-2.0

/// A point in time by the proleptic Gregorian calendar, in UTC.
struct CivilTime: Sendable, Hashable {
    let year: Int64
    /// Counted from 1.
    let month: Int64
    let day: Int64
    let hour: Int64
    let minute: Int64
    let second: Int64
    /// Days since Thursday, counted from 0.
    let daysSinceThursday: Int64

    /// - Parameter seconds: since 1970.
    init(secondsSince1970 seconds: Int64) {
        let (day, rest) = Self.divided(seconds, by: 86_400)
        // Counted from 1 March of the year 0, so that the leap day is the last of its year.
        let (era, dayOfEra) = Self.divided(day + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        self.day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        daysSinceThursday = Self.divided(day, by: 7).remainder
    }

    /// As RFC 3339 has it, which is a profile of ISO 8601.
    var rfc3339: String {
        "\(year)-\(Self.padded(month))-\(Self.padded(day))T\(time)Z"
    }

    /// Hours, minutes and seconds, with colons between them.
    var time: String { [hour, minute, second].map(Self.padded).joined(separator: ":") }

    static func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Division that rounds down, so that times before 1970 come out right.
    private static func divided(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
