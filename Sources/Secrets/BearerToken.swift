// SPDX-License-Identifier: Apache-2.0

/// A bearer token in clear, on its way to the one who may use it.
///
/// It is not what Lodge stores: keep its `digest` and let go of the token. Printing one shows no part of it.
package struct BearerToken: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// What every minted token starts with, so that scanners and people recognise it.
    package static let prefix = "lodge_"

    /// The token as it stands after `Bearer `.
    package let value: String

    /// Takes a token as it stands; nil unless it is of the form of RFC 6750 section 2.1 (`b64token`).
    package init?(_ value: String) {
        let body = value.utf8.reversed().drop { $0 == UInt8(ascii: "=") }
        guard !body.isEmpty, body.allSatisfy(Self.isTokenCharacter) else { return nil }
        self.value = value
    }

    /// Takes a token that another program chose; nil unless it is visible ASCII, which a header can carry.
    ///
    /// It is for tokens that are set already; whoever chooses one now uses the form of RFC 6750.
    package init?(foreign value: String) {
        guard !value.isEmpty, value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        self.value = value
    }

    private init(minted value: String) { self.value = value }

    /// Makes a token of 32 random bytes.
    package static func mint() -> BearerToken {
        BearerToken(minted: prefix + Base64URL.encode(RandomBytes.make(32)))
    }

    /// Reads a token from a file that only its owner may read; one trailing line ending is not part of it.
    package static func read(fromFile path: String) throws(SecretsError) -> BearerToken {
        var bytes = try PrivateFile.read(path, what: "token file")
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard !bytes.isEmpty else {
            throw SecretsError(.malformed, "token file '\(path)' is empty; write a token into it")
        }
        guard let token = BearerToken(String(decoding: bytes, as: UTF8.self)) else {
            throw SecretsError(
                .malformed,
                "token file '\(path)' holds characters that a bearer token cannot have;"
                    + " use letters, digits and -._~+/ on one line")
        }
        return token
    }

    package var digest: TokenDigest { TokenDigest(of: value) }

    package var description: String { "BearerToken(withheld)" }
    package var debugDescription: String { description }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/".utf8.contains(byte)
        }
    }
}
