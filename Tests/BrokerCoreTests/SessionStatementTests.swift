// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import MCPProtocol
import Secrets
import Testing

@testable import BrokerCore

@Suite("Session ids")
struct SessionStatementTests {
    private let statement = SessionStatement(
        server: "files", principal: "alice", protocolVersion: .june2025, isolation: .client,
        capabilities: 0xFEDC_BA98_7654_3210, issuedAt: 1_700_000_000, nonce: 42)

    private func ids(key: UInt8 = 7) throws -> SessionIDs {
        SessionIDs(signing: try #require(TestSigning(keyByte: key)))
    }

    @Test("an id tells what was stated", arguments: ProtocolVersion.allCases, Isolation.allCases)
    func roundTrip(version: ProtocolVersion, isolation: Isolation) throws {
        var statement = statement
        statement.protocolVersion = version
        statement.isolation = isolation
        let verified = try ids().verify(try ids().id(for: statement), server: "files", principal: "alice")
        #expect(
            verified
                == SessionIDs.Verified(
                    protocolVersion: version, isolation: isolation, capabilities: 0xFEDC_BA98_7654_3210,
                    issuedAt: 1_700_000_000))
    }

    @Test("an id is visible ASCII and says neither server nor principal in clear")
    func form() throws {
        let id = try ids().id(for: statement)
        #expect(id.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        let bytes = try #require(Base64URL.decode(id))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(!text.contains("files"))
        #expect(!text.contains("alice"))
    }

    @Test("a changed bit in any byte is refused")
    func tampering() throws {
        let ids = try ids()
        let bytes = try #require(Base64URL.decode(ids.id(for: statement)))
        for place in bytes.indices {
            for bit in 0..<8 {
                var changed = bytes
                changed[place] ^= 1 << bit
                let id = Base64URL.encode(changed)
                #expect(ids.verify(id, server: "files", principal: "alice") == nil, "byte \(place), bit \(bit)")
            }
        }
    }

    @Test("a shortened or lengthened id is refused")
    func lengths() throws {
        let ids = try ids()
        let bytes = try #require(Base64URL.decode(ids.id(for: statement)))
        for count in 0..<bytes.count {
            let id = Base64URL.encode(Array(bytes.prefix(count)))
            #expect(ids.verify(id, server: "files", principal: "alice") == nil, "\(count) bytes")
        }
        #expect(ids.verify(Base64URL.encode(bytes + [0]), server: "files", principal: "alice") == nil)
    }

    @Test("an id is good for its server and its principal only")
    func binding() throws {
        let ids = try ids()
        let id = ids.id(for: statement)
        #expect(ids.verify(id, server: "file", principal: "alice") == nil)
        #expect(ids.verify(id, server: "files", principal: "bob") == nil)
        #expect(ids.verify(id, server: "alice", principal: "files") == nil)
    }

    @Test("an id of another key is refused")
    func otherKey() throws {
        let id = try ids(key: 8).id(for: statement)
        #expect(try ids(key: 7).verify(id, server: "files", principal: "alice") == nil)
    }

    @Test("two statements that differ in the nonce alone have different ids")
    func nonce() throws {
        var other = statement
        other.nonce += 1
        #expect(try ids().id(for: statement) != ids().id(for: other))
    }

    @Test("text that is no id is refused", arguments: ["", "x", "-", "é", "a b", String(repeating: "A", count: 90)])
    func noID(text: String) throws {
        #expect(try ids().verify(text, server: "files", principal: "alice") == nil)
    }

    @Test("the digest of names is FNV-1a, the same in every process")
    func digest() {
        #expect(StableDigest.of("".utf8) == 0xcbf2_9ce4_8422_2325)
        #expect(StableDigest.of("a".utf8) == 0xaf63_dc4c_8601_ec8c)
        #expect(StableDigest.of("foobar".utf8) == 0x8594_4171_f739_67e8)
    }
}
