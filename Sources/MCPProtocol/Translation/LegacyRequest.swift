// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// A modern request as a legacy server gets it.
package enum LegacyRequest {
    /// The `_meta` of a request without the members that only the modern era reserves, and with another progress token.
    ///
    /// Every other member stays as it was written. Legacy servers exist that refuse the reserved members.
    package static func metadata(
        of bytes: Span<UInt8>, at meta: Range<Int>, token: RawID
    ) -> [UInt8] {
        var kept: [UInt8] = [UInt8(ascii: "{")]
        kept.reserveCapacity(32)
        JSONMembers.forEach(in: bytes, object: meta) { member, name, value in
            if isReserved(name, in: bytes) { return }
            if kept.count > 1 { kept.append(UInt8(ascii: ",")) }
            guard JSONString.equals(bytes, contents: name, "progressToken") else {
                return kept.append(contentsOf: Array(copying: bytes.extracting(member)))
            }
            kept.append(contentsOf: Array(copying: bytes.extracting(member.lowerBound..<value.lowerBound)))
            kept.append(contentsOf: token.array)
        }
        kept.append(UInt8(ascii: "}"))
        return kept
    }

    private static func isReserved(_ name: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        // Decoded, so that an escape in a name does not carry it through.
        guard name.count >= MetaKey.prefix.utf8.count, let text = JSONString.decode(bytes, contents: name) else {
            return false
        }
        return text.hasPrefix(MetaKey.prefix)
    }
}
