// SPDX-License-Identifier: Apache-2.0

/// The bytes of an id or token exactly as its sender wrote them.
///
/// Two are equal when their bytes are: `1`, `1.0` and `"1"` are three ids. Up to 24 bytes need no allocation. What the
/// bytes mean is not looked at; from a scanned message they are one JSON value.
package struct RawID: Hashable, Sendable {
    private enum Storage: Hashable, Sendable {
        case short(ShortBytes)
        case long([UInt8])
    }

    private let storage: Storage

    /// Copies a raw value out of a message.
    package init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        if let short = ShortBytes(bytes, range) {
            storage = .short(short)
        } else {
            var long: [UInt8] = []
            long.reserveCapacity(range.count)
            for place in range { long.append(bytes[place]) }
            storage = .long(long)
        }
    }

    package init(_ value: Int64) {
        self.init(DecimalBytes(value).array)
    }

    /// An id that is a string.
    package init(string: String) {
        var bytes: [UInt8] = []
        JSONString.encode(string, into: &bytes)
        self.init(bytes)
    }

    /// An id whose raw bytes are known, quotes of a string included.
    package init(_ raw: [UInt8]) {
        self.init(raw.span, 0..<raw.count)
    }

    package var count: Int {
        switch storage {
        case .short(let bytes): bytes.count
        case .long(let bytes): bytes.count
        }
    }

    package var array: [UInt8] {
        switch storage {
        case .short(let bytes): bytes.array
        case .long(let bytes): bytes
        }
    }

    /// Lends the bytes to a closure.
    package func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure)
        -> Result
    {
        switch storage {
        case .short(let bytes): try bytes.withSpan(body)
        case .long(let bytes): try body(bytes.span)
        }
    }

    /// The number that a raw value spells, if it is spelled just as ``DecimalBytes`` would: no string, no `-0`.
    package static func integer(in bytes: Span<UInt8>, _ range: Range<Int>) -> Int64? {
        guard let first = range.first, range.count <= 20 else { return nil }
        let isNegative = bytes[first] == .minus
        let digits = (isNegative ? first + 1 : first)..<range.upperBound
        guard let leading = digits.first else { return nil }
        if bytes[leading] == .zero, digits.count > 1 || isNegative { return nil }
        var value: Int64 = 0
        for place in digits {
            guard bytes[place].isDecimalDigit else { return nil }
            let digit = Int64(bytes[place] - .zero)
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            // Counted downwards, because the least integer has no positive counterpart.
            let (next, overflowAgain) = shifted.subtractingReportingOverflow(digit)
            if overflow || overflowAgain { return nil }
            value = next
        }
        if isNegative { return value }
        return value == .min ? nil : -value
    }
}
