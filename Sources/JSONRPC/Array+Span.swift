// SPDX-License-Identifier: Apache-2.0

extension [UInt8] {
    /// Appends the bytes of a range of a span.
    mutating func append(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        // The buffer is read before the closure ends, and is as long as the range.
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }

    /// Copies a span.
    package init(copying bytes: Span<UInt8>) {
        self = []
        append(bytes, 0..<bytes.count)
    }
}
