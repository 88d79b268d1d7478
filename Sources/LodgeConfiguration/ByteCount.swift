// SPDX-License-Identifier: Apache-2.0

/// Reads a number of bytes as people write it: digits, with KiB, MiB or GiB behind them or nothing (IEC 80000-13).
package enum ByteCount {
    /// The number; nil for anything else, also for a unit of a thousand, which people mean in two ways.
    package static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard !digits.isEmpty, let number = Int(digits) else { return nil }
        let factor: Int
        switch text.dropFirst(digits.count).drop(while: { $0 == " " }) {
        case "", "B": factor = 1
        case "KiB": factor = 1 << 10
        case "MiB": factor = 1 << 20
        case "GiB": factor = 1 << 30
        default: return nil
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }
}
