// SPDX-License-Identifier: Apache-2.0

/// A JSON number without loss, so that `42`, `42.0` and `4.2e1` are equal and `9007199254740993` is only itself.
struct ExactDecimal: Hashable, Sendable {
    private var isNegative: Bool
    /// Without zeros at either end; empty for zero.
    private var digits: [UInt8]
    /// The power of ten of the last digit.
    private var exponent: Int

    /// Reads a number by the grammar of RFC 8259; nil where its exponent is beyond all reason.
    init?(_ text: String) {
        let parts = text.split(separator: "e", maxSplits: 1).flatMap { $0.split(separator: "E", maxSplits: 1) }
        guard let mantissa = parts.first, parts.count <= 2 else { return nil }
        var power = 0
        if parts.count == 2 {
            guard let written = Int(parts[1]), abs(written) < 1_000_000 else { return nil }
            power = written
        }
        isNegative = mantissa.hasPrefix("-")
        let halves = mantissa.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        var all = halves.flatMap { Array($0.utf8) }
        exponent = power - (halves.count > 1 ? halves[1].utf8.count : 0)
        while all.last == UInt8(ascii: "0") {
            all.removeLast()
            exponent += 1
        }
        digits = Array(all.drop { $0 == UInt8(ascii: "0") })
        if digits.isEmpty { (isNegative, exponent) = (false, 0) }
    }

    /// The number in digits alone, where it is an integer of at most 32 digits.
    var integerText: String? {
        if digits.isEmpty { return "0" }
        guard exponent >= 0, digits.count + exponent <= 32 else { return nil }
        let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: exponent)
        return (isNegative ? "-" : "") + String(decoding: digits + zeros, as: UTF8.self)
    }
}
