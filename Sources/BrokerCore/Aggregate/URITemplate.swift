// SPDX-License-Identifier: Apache-2.0

/// Whether a URI could have come from a template (RFC 6570), as far as telling owners apart needs.
///
/// It does not expand and extracts no values. A simple expression stands for one or more characters without a
/// reserved one, an expression with an operator or a modifier for any characters or none.
struct URITemplate: Sendable {
    private enum Part: Sendable {
        case literal(UInt8)
        case simple
        case anything
    }

    /// A longer URI fits no template.
    static let longestURI = 8192

    private let parts: [Part]

    init(_ text: String) {
        var parts: [Part] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "{"), let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                parts.append(.literal(byte))
                continue
            }
            let isSimple = rest[..<end].allSatisfy { byte in
                byte >= 0x80 || Self.isLetterOrDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
            }
            parts.append(isSimple ? .simple : .anything)
            rest = rest[rest.index(after: end)...]
        }
        self.parts = parts
    }

    func fits(_ uri: String) -> Bool {
        let bytes = Array(uri.utf8)
        guard bytes.count <= Self.longestURI else { return false }
        // The places in the URI that the parts so far can reach.
        var reached = [Bool](repeating: false, count: bytes.count + 1)
        reached[0] = true
        for part in parts { reached = Self.step(part, from: reached, over: bytes) }
        return reached[bytes.count]
    }

    private static func step(_ part: Part, from reached: [Bool], over bytes: [UInt8]) -> [Bool] {
        var next = [Bool](repeating: false, count: reached.count)
        for place in reached.indices {
            switch part {
            case .literal(let byte): next[place] = place > 0 && reached[place - 1] && bytes[place - 1] == byte
            case .simple:
                next[place] = place > 0 && (reached[place - 1] || next[place - 1]) && !isReserved(bytes[place - 1])
            case .anything: next[place] = reached[place] || place > 0 && next[place - 1]
            }
        }
        return next
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// RFC 3986 section 2.2; simple expansion escapes all of them.
    private static func isReserved(_ byte: UInt8) -> Bool { ":/?#[]@!$&'()*+,;=".utf8.contains(byte) }
}
