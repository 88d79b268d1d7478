// SPDX-License-Identifier: Apache-2.0

/// Finds bytes of a few kinds, sixteen at a time.
///
/// Loads go through `RawSpan`, which checks their bounds. They are marked unsafe because a load may in general make an
/// invalid value; every pattern of bits is a valid vector of integers.
enum ByteSearch {
    /// The first byte from `start` on that a string body cannot pass over: quote, backslash, control or not ASCII.
    ///
    /// Answers `bytes.count` when there is none.
    @inline(__always)
    static func endOfPlainText(in bytes: Span<UInt8>, from start: Int) -> Int {
        first(in: bytes, from: start, plain: { $0 >= 0x20 && $0 < 0x80 && $0 != .quote && $0 != .backslash }) { lanes in
            // As signed numbers, control characters and all bytes from 0x80 on are both less than a space.
            (lanes .< Lanes(repeating: 0x20)) .| (lanes .== Lanes(repeating: 0x22))
                .| (lanes .== Lanes(repeating: 0x5C))
        }
    }

    /// The first quote or backslash from `start` on, or `bytes.count`.
    @inline(__always)
    static func quoteOrBackslash(in bytes: Span<UInt8>, from start: Int) -> Int {
        first(in: bytes, from: start, plain: { $0 != .quote && $0 != .backslash }) { lanes in
            (lanes .== Lanes(repeating: 0x22)) .| (lanes .== Lanes(repeating: 0x5C))
        }
    }

    /// The first line feed from `start` on, or `bytes.count`.
    @inline(__always)
    static func lineFeed(in bytes: Span<UInt8>, from start: Int) -> Int {
        first(in: bytes, from: start, plain: { $0 != .lineFeed }) { lanes in lanes .== Lanes(repeating: 0x0A) }
    }

    private typealias Lanes = SIMD16<Int8>

    /// The first byte that is not plain; `hits` must say of sixteen bytes what `plain` denies of one.
    @inline(__always)
    private static func first(
        in bytes: Span<UInt8>,
        from start: Int,
        plain: (UInt8) -> Bool,
        hits: (Lanes) -> SIMDMask<Lanes>
    ) -> Int {
        // Bytes have no padding that a raw view could expose.
        let raw = unsafe bytes.bytes
        let count = raw.byteCount
        var at = start
        // Most strings are short: one vector before the wide loop.
        if count - at >= 16 {
            if let lane = firstLane(hits(load(raw, at))) { return at + lane }
            at += 16
        }
        while count - at >= 64 {
            let front = hits(load(raw, at)) .| hits(load(raw, at + 16))
            let back = hits(load(raw, at + 32)) .| hits(load(raw, at + 48))
            guard isZero(front .| back) else { break }
            at += 64
        }
        while count - at >= 16 {
            if let lane = firstLane(hits(load(raw, at))) { return at + lane }
            at += 16
        }
        while at < count, plain(bytes[at]) { at += 1 }
        return at
    }

    @inline(__always)
    private static func load(_ raw: RawSpan, _ offset: Int) -> Lanes {
        unsafe raw.unsafeLoadUnaligned(fromByteOffset: offset, as: Lanes.self)
    }

    @inline(__always)
    private static func words(_ mask: SIMDMask<Lanes>) -> SIMD2<UInt64> {
        // Both are sixteen bytes of integers; a mask has all bits of a lane set or none.
        unsafe unsafeBitCast(mask, to: SIMD2<UInt64>.self)
    }

    @inline(__always)
    private static func isZero(_ mask: SIMDMask<Lanes>) -> Bool {
        let words = words(mask)
        return words.x | words.y == 0
    }

    @inline(__always)
    private static func firstLane(_ mask: SIMDMask<Lanes>) -> Int? {
        let words = words(mask)
        let low = words.x.littleEndian
        let high = words.y.littleEndian
        if low | high == 0 { return nil }
        return low != 0 ? low.trailingZeroBitCount >> 3 : 8 + (high.trailingZeroBitCount >> 3)
    }
}
