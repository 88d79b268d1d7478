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

    /// A point in time as IMF-fixdate (RFC 9110 section 5.6.7).
    static func text(of seconds: Int64) -> String {
        let time = CivilTime(secondsSince1970: seconds)
        return "\(days[Int(time.daysSinceThursday)]), \(CivilTime.padded(time.day)) \(months[Int(time.month) - 1])"
            + " \(time.year) \(time.time) GMT"
    }
}
