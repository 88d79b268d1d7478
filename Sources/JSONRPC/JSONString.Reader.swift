// SPDX-License-Identifier: Apache-2.0

extension JSONString {
    /// Steps through the contents of a string, one unescaped unit at a time.
    struct Reader {
        enum Unit {
            /// A byte that stands for itself.
            case byte(UInt8)
            /// An escaped character; U+FFFD for half a surrogate pair.
            case scalar(Unicode.Scalar)
            /// An escape that RFC 8259 does not know; the reader must not be used further.
            case malformed

            func isByte(_ wanted: UInt8) -> Bool {
                switch self {
                case .byte(let byte): byte == wanted
                case .scalar(let scalar): scalar.value == UInt32(wanted)
                case .malformed: false
                }
            }
        }

        private(set) var at: Int
        private let end: Int

        init(at start: Int, end: Int) {
            self.at = start
            self.end = end
        }

        mutating func next(_ bytes: Span<UInt8>) -> Unit? {
            guard at < end else { return nil }
            let byte = bytes[at]
            at += 1
            guard byte == .backslash else { return .byte(byte) }
            guard at < end else { return .malformed }
            let letter = bytes[at]
            at += 1
            switch letter {
            case .quote, .backslash, 0x2F: return .byte(letter)
            case 0x62: return .byte(0x08)
            case 0x66: return .byte(0x0C)
            case 0x6E: return .byte(.lineFeed)
            case 0x72: return .byte(.carriageReturn)
            case 0x74: return .byte(.tab)
            case 0x75: return codePoint(bytes)
            default: return .malformed
            }
        }

        private mutating func codePoint(_ bytes: Span<UInt8>) -> Unit {
            guard let first = fourDigits(bytes, from: at) else { return .malformed }
            at += 4
            if first & 0xFC00 == 0xD800, end - at >= 6, bytes[at] == .backslash, bytes[at + 1] == 0x75,
                let second = fourDigits(bytes, from: at + 2), second & 0xFC00 == 0xDC00
            {
                at += 6
                return .scalar(Unicode.Scalar(0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF)) ?? "\u{FFFD}")
            }
            return .scalar(Unicode.Scalar(first) ?? "\u{FFFD}")
        }

        private func fourDigits(_ bytes: Span<UInt8>, from start: Int) -> UInt32? {
            guard end - start >= 4 else { return nil }
            var value: UInt32 = 0
            for place in start..<start + 4 {
                guard let digit = bytes[place].hexadecimalValue else { return nil }
                value = value << 4 | digit
            }
            return value
        }
    }
}
