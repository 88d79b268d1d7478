// SPDX-License-Identifier: Apache-2.0

extension JSONWalker {
    /// Passes a string, number, boolean or null that starts with `byte`.
    @inline(__always)
    mutating func scalar(_ bytes: Span<UInt8>, _ byte: UInt8) throws(ScanError) {
        switch byte {
        case .quote: _ = try string(bytes)
        case .minus, 0x30...0x39: try number(bytes)
        case 0x74: try literal(bytes, "true")
        case 0x66: try literal(bytes, "false")
        case 0x6E: try literal(bytes, "null")
        default: throw ScanError(.notJSON, at: at)
        }
    }

    private mutating func literal(_ bytes: Span<UInt8>, _ word: StaticString) throws(ScanError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard at < bytes.count else { throw ScanError(.truncated, at: at) }
            // The index is below the literal's own count.
            guard unsafe bytes[at] == word.utf8Start[index] else { throw ScanError(.notJSON, at: at) }
            at += 1
        }
    }

    /// RFC 8259 section 6: a sign, no leading zero, and a digit on each side of the point and after the exponent.
    private mutating func number(_ bytes: Span<UInt8>) throws(ScanError) {
        var place = at
        if bytes[place] == .minus { place += 1 }
        if place < bytes.count, bytes[place] == .zero {
            place += 1
        } else {
            place = try digits(bytes, from: place)
        }
        if place < bytes.count, bytes[place] == .period {
            place = try digits(bytes, from: place + 1)
        }
        if place < bytes.count, bytes[place] | 0x20 == 0x65 {
            place += 1
            if place < bytes.count, bytes[place] == .plus || bytes[place] == .minus { place += 1 }
            place = try digits(bytes, from: place)
        }
        at = place
    }

    @inline(__always)
    private func digits(_ bytes: Span<UInt8>, from start: Int) throws(ScanError) -> Int {
        var place = start
        while place < bytes.count, bytes[place].isDecimalDigit { place += 1 }
        guard place > start else { throw ScanError(place < bytes.count ? .notJSON : .truncated, at: place) }
        return place
    }

    /// Passes a string from its opening quote, and answers whether it holds escapes.
    @inline(__always)
    mutating func string(_ bytes: Span<UInt8>) throws(ScanError) -> Bool {
        let place = ByteSearch.endOfPlainText(in: bytes, from: at + 1)
        if place < bytes.count, bytes[place] == .quote {
            at = place + 1
            return false
        }
        return try unevenString(bytes, from: place)
    }

    /// Passes the rest of a string whose plain text stopped at `start` for something else than its closing quote.
    private mutating func unevenString(_ bytes: Span<UInt8>, from start: Int) throws(ScanError) -> Bool {
        var place = start
        var hasEscapes = false
        while place < bytes.count {
            let byte = bytes[place]
            if byte == .quote {
                at = place + 1
                return hasEscapes
            } else if byte == .backslash {
                hasEscapes = true
                place = try escape(bytes, at: place)
            } else if byte >= 0x80 {
                place = try multibyteText(bytes, from: place)
            } else {
                throw ScanError(.notJSON, at: place)
            }
            place = ByteSearch.endOfPlainText(in: bytes, from: place)
        }
        throw ScanError(.truncated, at: place)
    }

    @inline(__always)
    private func escape(_ bytes: Span<UInt8>, at start: Int) throws(ScanError) -> Int {
        guard start + 1 < bytes.count else { throw ScanError(.truncated, at: start + 1) }
        switch bytes[start + 1] {
        case .quote, .backslash, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return start + 2
        case 0x75:
            for place in start + 2..<start + 6 {
                guard place < bytes.count else { throw ScanError(.truncated, at: place) }
                guard bytes[place].hexadecimalValue != nil else { throw ScanError(.notJSON, at: place) }
            }
            return start + 6
        default: throw ScanError(.notJSON, at: start + 1)
        }
    }

    /// Passes a run of characters beyond ASCII by the table of RFC 3629 section 4.
    private func multibyteText(_ bytes: Span<UInt8>, from start: Int) throws(ScanError) -> Int {
        var place = start
        while place < bytes.count {
            let lead = bytes[place]
            if lead < 0x80 { return place }
            let length: Int
            // Which second bytes make no overlong form, no surrogate and nothing above U+10FFFF.
            var second: ClosedRange<UInt8> = 0x80...0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0: (length, second) = (3, 0xA0...0xBF)
            case 0xED: (length, second) = (3, 0x80...0x9F)
            case 0xE1...0xEF: length = 3
            case 0xF0: (length, second) = (4, 0x90...0xBF)
            case 0xF4: (length, second) = (4, 0x80...0x8F)
            case 0xF1...0xF3: length = 4
            default: throw ScanError(.invalidUTF8, at: place)
            }
            guard bytes.count - place >= length, second.contains(bytes[place + 1]) else {
                throw ScanError(.invalidUTF8, at: place)
            }
            if length > 2, bytes[place + 2] & 0xC0 != 0x80 { throw ScanError(.invalidUTF8, at: place) }
            if length > 3, bytes[place + 3] & 0xC0 != 0x80 { throw ScanError(.invalidUTF8, at: place) }
            place += length
        }
        return place
    }
}
