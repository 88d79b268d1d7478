// SPDX-License-Identifier: Apache-2.0

extension ModernRevision {
    /// The first one.
    private static let first = "2026-07-28"

    /// Whether the value of an `MCP-Protocol-Version` header names a revision of the modern era, known or to come.
    ///
    /// What is no date names none.
    package static func isNamed(by value: String) -> Bool {
        let bytes = value.utf8
        guard bytes.count == first.utf8.count else { return false }
        for (byte, form) in zip(bytes, first.utf8) {
            let isDash = form == UInt8(ascii: "-")
            guard isDash ? byte == form : (0x30...0x39).contains(byte) else { return false }
        }
        // Dates of this form are ordered as their bytes are.
        return !bytes.lexicographicallyPrecedes(first.utf8)
    }
}
