// SPDX-License-Identifier: Apache-2.0
package import LodgeConfiguration
package import MCPProtocol
import Secrets

/// What a session id states: a signed sentence about one legacy session, so that the id proves itself.
///
/// It is not authentication: a session works only together with the grant of the principal it names. The id is visible
/// ASCII, as the MCP specification asks (2025-11-25, transports, session management).
package struct SessionStatement: Hashable, Sendable {
    package var server: String
    package var principal: String
    package var protocolVersion: ProtocolVersion
    package var isolation: Isolation
    /// A digest of what the client declared it can do.
    package var capabilities: UInt64
    /// Seconds since 1970.
    package var issuedAt: UInt64
    package var nonce: UInt64

    package init(
        server: String, principal: String, protocolVersion: ProtocolVersion, isolation: Isolation,
        capabilities: UInt64, issuedAt: UInt64, nonce: UInt64
    ) {
        self.server = server
        self.principal = principal
        self.protocolVersion = protocolVersion
        self.isolation = isolation
        self.capabilities = capabilities
        self.issuedAt = issuedAt
        self.nonce = nonce
    }

    /// The bytes that are signed. Names enter as digests, so that an id says nothing readable about its holder.
    func encoded(keyID: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [1]
        bytes += keyID.prefix(4)
        bytes.appendBigEndian(StableDigest.of(server.utf8))
        bytes.appendBigEndian(StableDigest.of(principal.utf8))
        bytes += [protocolVersion.wireIndex, isolation.wireByte]
        bytes.appendBigEndian(capabilities)
        bytes.appendBigEndian(issuedAt)
        bytes.appendBigEndian(nonce)
        return bytes
    }

    static let encodedCount = 1 + 4 + 8 + 8 + 1 + 1 + 8 + 8 + 8
}

/// Signs session ids; the key and the algorithm are the implementation's.
package protocol SessionSigning: Sendable {
    /// Four bytes that name the key.
    var keyID: [UInt8] { get }
    func signature(of bytes: [UInt8]) -> [UInt8]
    /// Compares in constant time.
    func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool
}

/// Turns statements into session ids and back.
package struct SessionIDs: Sendable {
    /// What a valid id of this broker tells; who holds it is compared by digest.
    package struct Verified: Hashable, Sendable {
        package var protocolVersion: ProtocolVersion
        package var isolation: Isolation
        package var capabilities: UInt64
        package var issuedAt: UInt64
    }

    let signing: any SessionSigning

    package init(signing: any SessionSigning) { self.signing = signing }

    package func id(for statement: SessionStatement) -> String {
        let bytes = statement.encoded(keyID: signing.keyID)
        return Base64URL.encode(bytes + signing.signature(of: bytes))
    }

    /// Reads an id; nil unless this key signed it for this server and this principal.
    package func verify(_ id: String, server: String, principal: String) -> Verified? {
        guard let bytes = Base64URL.decode(id), bytes.count > SessionStatement.encodedCount else { return nil }
        let stated = Array(bytes.prefix(SessionStatement.encodedCount))
        guard signing.isSignature(Array(bytes.dropFirst(stated.count)), of: stated) else { return nil }
        guard stated[0] == 1, Array(stated[1..<5]) == Array(signing.keyID.prefix(4)),
            stated.bigEndian(at: 5) == StableDigest.of(server.utf8),
            stated.bigEndian(at: 13) == StableDigest.of(principal.utf8),
            let version = ProtocolVersion(wireIndex: stated[21]), let isolation = Isolation(wireByte: stated[22])
        else { return nil }
        return Verified(
            protocolVersion: version, isolation: isolation,
            capabilities: stated.bigEndian(at: 23), issuedAt: stated.bigEndian(at: 31))
    }
}

extension Isolation {
    /// How an isolation stands in a session id; a number is never given to another one.
    fileprivate var wireByte: UInt8 {
        switch self {
        case .shared: 0
        case .client: 1
        case .call: 2
        case .pool: 3
        }
    }

    fileprivate init?(wireByte: UInt8) {
        guard let isolation = Self.allCases.first(where: { $0.wireByte == wireByte }) else { return nil }
        self = isolation
    }

    /// Whether a server may ask its clients something, so that ids of its questions can meet those of others.
    var asksClients: Bool { self == .client || self == .call }
}

/// A 64-bit digest (FNV-1a) that is the same in every process; it only tells names apart under a signature.
package enum StableDigest {
    package static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return digest
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ value: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) { append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    func bigEndian(at offset: Int) -> UInt64 {
        self[offset..<offset + 8].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
