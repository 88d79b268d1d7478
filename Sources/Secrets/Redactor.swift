// SPDX-License-Identifier: Apache-2.0

/// Replaces plain occurrences of known secret values by `[redacted:NAME]`, in one pass.
///
/// It is not the complete redaction of Lodge. It does not recognise a value that is URL-encoded, in hexadecimal, in
/// base64, escaped inside a JSON string, or in another Unicode normalization; it does not see a value that is
/// split over two calls; it guesses nothing, so a secret that it was not given passes. Values are compared as
/// UTF-8 bytes. Immutable, so any number of threads may use one.
package struct Redactor: Redacting {
    /// Values shorter than this, in bytes, are not matched: they would tear ordinary text apart.
    package static let minimumLength = 4

    private struct Pattern {
        var bytes: [UInt8]
        var mark: [UInt8]
    }

    /// Names whose value is empty or shorter than `minimumLength`; the owner may warn that they are not covered.
    package let unmatched: [String]
    /// Longest first, so that of two values that start at one place the longer one wins.
    private let patterns: [Pattern]
    /// One bit for each pair of first bytes: the scan asks this of every position and seldom more.
    private let firstPairs: [UInt64]
    /// Indices into `patterns` by their first four bytes, in the order of `patterns`.
    private let candidates: [UInt32: [Int]]

    /// Builds a redactor for these values; of two names with one value, the first is shown.
    package init(_ secrets: [(name: String, value: String)]) {
        var unmatched: [String] = []
        var known: Set<[UInt8]> = []
        var patterns: [Pattern] = []
        for secret in secrets {
            let bytes = Array(secret.value.utf8)
            guard bytes.count >= Self.minimumLength else {
                unmatched.append(secret.name)
                continue
            }
            guard known.insert(bytes).inserted else { continue }
            patterns.append(Pattern(bytes: bytes, mark: Array("[redacted:\(secret.name)]".utf8)))
        }
        patterns.sort { $0.bytes.count > $1.bytes.count }
        var firstPairs = [UInt64](repeating: 0, count: 65_536 / 64)
        var candidates: [UInt32: [Int]] = [:]
        for (index, pattern) in patterns.enumerated() {
            let pair = Self.pair(pattern.bytes, at: 0)
            firstPairs[pair >> 6] |= 1 << UInt64(pair & 63)
            candidates[Self.quad(pattern.bytes, at: 0), default: []].append(index)
        }
        self.unmatched = unmatched
        self.patterns = patterns
        self.firstPairs = firstPairs
        self.candidates = candidates
    }

    /// Returns the text with every known value replaced.
    package func redact(_ text: String) -> String {
        guard !patterns.isEmpty, let redacted = replaced(in: Array(text.utf8)) else { return text }
        return String(decoding: redacted, as: UTF8.self)
    }

    /// Returns the bytes with every known value replaced; they need not be valid UTF-8.
    package func redact(bytes: [UInt8]) -> [UInt8] {
        guard !patterns.isEmpty else { return bytes }
        return replaced(in: bytes) ?? bytes
    }

    /// Returns nil where nothing was found, so that clean text, the usual case, is not copied.
    private func replaced(in bytes: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        var copied = 0
        var position = 0
        // Values that overlap are taken out as one region, each with its mark: cutting out only the first would
        // leave the end of the second to be read.
        var region: (start: Int, end: Int, marks: [UInt8])?
        while position + Self.minimumLength <= bytes.count {
            if let open = region, position >= open.end {
                output += bytes[copied..<open.start]
                output += open.marks
                copied = open.end
                region = nil
            }
            if let pattern = longestMatch(in: bytes, at: position) {
                let end = position + pattern.bytes.count
                if let open = region {
                    if end > open.end { region = (open.start, end, open.marks + pattern.mark) }
                } else {
                    region = (position, end, pattern.mark)
                }
            }
            position += 1
        }
        if let open = region {
            output += bytes[copied..<open.start]
            output += open.marks
            copied = open.end
        }
        guard copied > 0 else { return nil }
        output += bytes[copied...]
        return output
    }

    private func longestMatch(in bytes: [UInt8], at position: Int) -> Pattern? {
        let pair = Self.pair(bytes, at: position)
        guard firstPairs[pair >> 6] & (1 << UInt64(pair & 63)) != 0,
            let indices = candidates[Self.quad(bytes, at: position)]
        else { return nil }
        for index in indices where bytes[position...].starts(with: patterns[index].bytes) {
            return patterns[index]
        }
        return nil
    }

    private static func pair(_ bytes: [UInt8], at position: Int) -> Int {
        Int(bytes[position]) << 8 | Int(bytes[position + 1])
    }

    private static func quad(_ bytes: [UInt8], at position: Int) -> UInt32 {
        UInt32(pair(bytes, at: position)) << 16 | UInt32(pair(bytes, at: position + 2))
    }
}
