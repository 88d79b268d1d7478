// SPDX-License-Identifier: Apache-2.0

/// Stores an optional range of byte offsets in eight bytes.
///
/// An envelope holds some twenty ranges and is handed from layer to layer; as `Range<Int>?` it would take half a
/// kilobyte. Offsets are unsigned 32-bit numbers, hence `longestMessage`, which the scanner enforces.
@propertyWrapper
package struct Stretch: Hashable, Sendable {
    /// The longest message, in bytes, whose every offset fits.
    static let longestMessage = Int(UInt32.max) - 1

    private var start: UInt32
    private var end: UInt32

    package init(wrappedValue: Range<Int>?) {
        // An offset that does not fit is a mistake of the caller: scanned messages are never that long.
        start = wrappedValue.map { UInt32($0.lowerBound) } ?? .max
        end = wrappedValue.map { UInt32($0.upperBound) } ?? .max
    }

    package var wrappedValue: Range<Int>? {
        get { start == .max ? nil : Int(start)..<Int(end) }
        set { self = Stretch(wrappedValue: newValue) }
    }
}
