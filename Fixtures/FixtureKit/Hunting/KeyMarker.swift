// SPDX-License-Identifier: Apache-2.0

/// Recognises a key by how it begins, in plain text, in Base64 and in hexadecimal.
///
/// A hit is the beginning followed by at least eight characters of which keys are made, so that a mere mention of the
/// beginning, such as in an argument, is none. The beginning is kept in two parts: the hunter's own memory must not
/// look like a find to another hunter.
package struct KeyMarker: Sendable {
    /// What a key looks like when it is written one way.
    private struct Pattern {
        var head: [UInt8]
        var tail: [UInt8]
        var encoding: String
        var isKeyCharacter: @Sendable (UInt8) -> Bool

        init(_ bytes: [UInt8], _ encoding: String, _ isKeyCharacter: @escaping @Sendable (UInt8) -> Bool) {
            head = Array(bytes.prefix(bytes.count / 2))
            tail = Array(bytes.suffix(bytes.count - bytes.count / 2))
            self.encoding = encoding
            self.isKeyCharacter = isKeyCharacter
        }
    }

    /// How many characters must follow the beginning.
    static let shortest = 8
    /// The most bytes a hit can take up that are looked at.
    package static let longest = 256

    private let patterns: [Pattern]
    /// When set, a hit in plain text counts only if its first `length` bytes have this SHA-256.
    private let fingerprint: (digest: String, length: Int)?

    /// - Parameter prefix: how the key begins, at least four characters.
    package init?(prefix: String, fingerprint: (digest: String, length: Int)? = nil) {
        let bytes = Array(prefix.utf8)
        guard bytes.count >= 4 else { return nil }
        self.fingerprint = fingerprint
        let isWord: @Sendable (UInt8) -> Bool = { Self.isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x5F }
        let isBase64: @Sendable (UInt8) -> Bool = { Self.isLetterOrDigit($0) || [0x2B, 0x2F, 0x2D, 0x5F].contains($0) }
        let hexadecimal = bytes.flatMap { Array((($0 < 16 ? "0" : "") + String($0, radix: 16)).utf8) }
        patterns =
            [Pattern(bytes, "plain", isWord)]
            + (0..<3).map { Pattern(Self.base64(bytes, shiftedBy: $0), "Base64", isBase64) }
            + [Pattern(hexadecimal, "hexadecimal", Self.isLetterOrDigit)]
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// The characters of Base64 that depend on these bytes alone, when that many others (mod 3) stand before them.
    private static func base64(_ bytes: [UInt8], shiftedBy shift: Int) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let padded = [UInt8](repeating: 0, count: shift) + bytes
        let first = (shift * 8 + 5) / 6
        let end = padded.count * 8 / 6
        return (first..<end).map { place in
            let bit = place * 6
            let pair = UInt16(padded[bit / 8]) << 8 | (bit / 8 + 1 < padded.count ? UInt16(padded[bit / 8 + 1]) : 0)
            return alphabet[Int(pair >> (10 - UInt16(bit % 8)) & 0x3F)]
        }
    }

    /// How the key is written in these bytes, or nil when it is not there.
    ///
    /// - Parameter plainOnly: looks for plain text alone, which is quicker.
    package func encoding(in bytes: [UInt8], plainOnly: Bool = false) -> String? {
        patterns.prefix(plainOnly ? 1 : patterns.count).first { isThere($0, bytes) }?.encoding
    }

    private func isThere(_ pattern: Pattern, _ bytes: [UInt8]) -> Bool {
        guard let first = pattern.head.first else { return false }
        let length = pattern.head.count + pattern.tail.count
        var at = 0
        while let place = bytes.firstIndex(of: first, from: at), place + length + Self.shortest <= bytes.count {
            at = place + 1
            guard bytes[place...].starts(with: pattern.head),
                bytes[(place + pattern.head.count)...].starts(with: pattern.tail)
            else { continue }
            let following = bytes[(place + length)...].prefix(Self.shortest)
            guard following.allSatisfy(pattern.isKeyCharacter) else { continue }
            if isKey(bytes[place...], pattern) { return true }
        }
        return false
    }

    private func isKey(_ bytes: ArraySlice<UInt8>, _ pattern: Pattern) -> Bool {
        guard let fingerprint, pattern.encoding == "plain" else { return true }
        return SHA256.hexadecimal(bytes.prefix(fingerprint.length)) == fingerprint.digest
    }
}
