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
        kept.reserveCapacity(64)
        JSONMembers.forEach(in: bytes, object: meta) { member, name, value in
            if isReserved(name, in: bytes) { return }
            if kept.count > 1 { kept.append(UInt8(ascii: ",")) }
            guard JSONString.equals(bytes, contents: name, "progressToken") else {
                return kept.append(contentsOf: Array(copying: bytes.extracting(member)))
            }
            kept.append(contentsOf: Array(copying: bytes.extracting(member.lowerBound..<value.lowerBound)))
            token.withSpan { raw in
                for place in raw.indices { kept.append(raw[place]) }
            }
        }
        kept.append(UInt8(ascii: "}"))
        return kept
    }

    private static func isReserved(_ name: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        let prefix: StaticString = "io.modelcontextprotocol/"
        guard name.count >= prefix.utf8CodeUnitCount else { return false }
        if JSONString.equals(bytes, contents: name.prefix(prefix.utf8CodeUnitCount), prefix) { return true }
        // Decoded, so that an escape in a name does not carry it through; a plain name needs no string of its own.
        guard name.contains(where: { bytes[$0] == UInt8(ascii: "\\") }) else { return false }
        return JSONString.decode(bytes, contents: name)?.hasPrefix(MetaKey.prefix) == true
    }
}
