// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// The `Date` of responses, which an origin server with a clock must send (RFC 9110 section 6.6.1).
///
/// One for a gateway: the text is made once a second and copied into each response.
final class ResponseDate: Sendable {
    private struct Made {
        var second: Int64 = .min
        var text = ""
    }

    private let made = Mutex(Made())
    private let clock: @Sendable () -> Int64

    /// - Parameter clock: seconds since 1970.
    init(clock: @escaping @Sendable () -> Int64 = { Int64(time(nil)) }) { self.clock = clock }

    var text: String {
        let now = clock()
        return made.withLock { made in
            if made.second != now { made = Made(second: now, text: Self.text(of: now)) }
            return made.text
        }
    }

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// A point in time as IMF-fixdate (RFC 9110 section 5.6.7); the calendar is the proleptic Gregorian one.
    static func text(of seconds: Int64) -> String {
        let (day, rest) = divided(seconds, by: 86_400)
        // Counted from 1 March of the year 0, so that the leap day is the last of its year.
        let (era, dayOfEra) = divided(day + 719_468, by: 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 2 : monthFromMarch - 10
        let year = yearOfEra + era * 400 + (month <= 1 ? 1 : 0)
        let weekday = days[Int(divided(day, by: 7).remainder)]
        let time = [rest / 3600, rest / 60 % 60, rest % 60].map(padded).joined(separator: ":")
        return "\(weekday), \(padded(dayOfMonth)) \(months[Int(month)]) \(year) \(time) GMT"
    }

    /// Division that rounds down, so that times before 1970 come out right.
    private static func divided(_ value: Int64, by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    private static func padded(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
}
