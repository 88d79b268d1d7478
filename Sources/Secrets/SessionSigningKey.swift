// SPDX-License-Identifier: Apache-2.0

private import Crypto

/// The key by which Lodge recognises the session ids that it, or a replica with the same key, has issued.
///
/// It signs with HMAC-SHA256 cut to 16 bytes (RFC 2104 section 5). It encrypts nothing: what it signs stays readable.
package struct SessionSigningKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// Length of a signature, in bytes.
    package static let signatureLength = 16
    /// Length of the key, in bytes.
    package static let keyLength = 32

    /// Four bytes that tell keys apart and say nothing about the key itself.
    package let keyID: [UInt8]
    private let key: SymmetricKey

    /// Takes 32 bytes of key material; nil for any other length.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.keyLength else { return nil }
        self.init(key: SymmetricKey(data: bytes))
    }

    private init(key: SymmetricKey) {
        self.key = key
        self.keyID = Array(
            HMAC<SHA256>.authenticationCode(for: Array("lodge session key id".utf8), using: key).prefix(4))
    }

    /// A new key that lives as long as the process.
    package static func random() -> SessionSigningKey {
        SessionSigningKey(key: SymmetricKey(data: RandomBytes.make(keyLength)))
    }

    /// Reads the key from a file of 64 hexadecimal digits, which is made first, mode 0600, if there is none.
    ///
    /// Two processes that make it at once end with the same key. The directory must exist.
    package static func load(fromFile path: String) throws(SecretsError) -> SessionSigningKey {
        if !PrivateFile.exists(path) {
            let content = Hexadecimal.encode(RandomBytes.make(keyLength)) + [UInt8(ascii: "\n")]
            try PrivateFile.createIfAbsent(path, content, what: "session key file")
        }
        let content = try PrivateFile.read(path, what: "session key file")
        let digits = content.last == UInt8(ascii: "\n") ? Array(content.dropLast()) : content
        guard let bytes = Hexadecimal.decode(digits), let key = SessionSigningKey(bytes) else {
            throw SecretsError(
                .malformed,
                "session key file '\(path)' does not hold 64 hexadecimal digits; remove it and a new key is made")
        }
        return key
    }

    /// Returns the 16 bytes that prove these bytes to have been signed by this key.
    package func sign(_ bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key).prefix(Self.signatureLength))
    }

    /// Tells whether `signature` is this key's for these bytes, in a time that does not depend on where they differ.
    package func verify(_ signature: [UInt8], for bytes: [UInt8]) -> Bool {
        let expected = sign(bytes)
        guard signature.count == expected.count else { return false }
        var difference: UInt8 = 0
        for index in expected.indices { difference |= signature[index] ^ expected[index] }
        return difference == 0
    }

    package var description: String { "SessionSigningKey(withheld)" }
    package var debugDescription: String { description }
}
