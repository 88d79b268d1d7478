// SPDX-License-Identifier: Apache-2.0

/// The decimal digits of an integer, held in place: what an id or token is replaced with on the relay path.
package struct DecimalBytes: Hashable, Sendable {
    private var bytes = ShortBytes()

    package init(_ value: Int64) {
        var rest = value.magnitude
        repeat {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            bytes.insertAtFront(.zero + UInt8(truncatingIfNeeded: digit))
            rest = quotient
        } while rest > 0
        if value < 0 { bytes.insertAtFront(.minus) }
    }

    package var count: Int { bytes.count }

    package var array: [UInt8] { bytes.array }

    /// Lends the digits to a closure.
    package func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure)
        -> Result
    {
        try bytes.withSpan(body)
    }
}
