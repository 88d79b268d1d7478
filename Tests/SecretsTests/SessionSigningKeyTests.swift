// SPDX-License-Identifier: Apache-2.0

import Secrets
import Testing

@Suite("SessionSigningKey")
struct SessionSigningKeyTests {
    @Test("signs as HMAC-SHA256 cut to 16 bytes does")
    func knownAnswer() throws {
        // RFC 4231 has no 32-byte key; this value comes from Python's hmac module.
        let key = try #require(SessionSigningKey(Array(0..<32)))
        #expect(
            key.sign(Array("lodge".utf8)) == [229, 197, 11, 101, 220, 189, 22, 97, 27, 181, 70, 15, 46, 209, 131, 112])
    }

    @Test("a signature holds for its own bytes, key and length only")
    func verifies() {
        let key = SessionSigningKey.random()
        let signature = key.sign([1, 2, 3])
        #expect(key.verify(signature, for: [1, 2, 3]))
        #expect(!key.verify(signature, for: [1, 2, 4]))
        #expect(!key.verify(Array(signature.dropLast()), for: [1, 2, 3]))
        #expect(!key.verify([], for: [1, 2, 3]))
        #expect(!SessionSigningKey.random().verify(signature, for: [1, 2, 3]))
    }

    @Test("a key file is made once, for its owner only, and gives the same key again")
    func loads() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/key"
        let first = try SessionSigningKey.load(fromFile: path)
        let second = try SessionSigningKey.load(fromFile: path)
        #expect(first.keyID == second.keyID)
        #expect(second.verify(first.sign([7]), for: [7]))
        #expect(try scratch.mode(of: path) == 0o600)
        #expect(try scratch.names() == ["key"])
        #expect(first.keyID.count == 4)
    }

    @Test("those who make the key file at once end with one key", .timeLimit(.minutes(1)))
    func race() async throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/key"
        let identifiers = try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<16 { group.addTask { try SessionSigningKey.load(fromFile: path).keyID } }
            return try await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(identifiers.count == 1)
        #expect(try scratch.names() == ["key"])
    }

    @Test("a key file that is damaged is refused and left alone", arguments: ["", "12", "zz", "no key at all"])
    func damaged(_ content: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(content, to: "key")
        let message = "session key file '\(path)' does not hold 64 hexadecimal digits; remove it and a new key is made"
        #expect(throws: SecretsError(.malformed, message)) { try SessionSigningKey.load(fromFile: path) }
    }

    @Test("a key file that others may read is refused")
    func exposed() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(String(repeating: "ab", count: 32), to: "key", mode: 0o644)
        let message = "session key file '\(path)' is open to other users; run: chmod 600 '\(path)'"
        #expect(throws: SecretsError(.exposed, message)) { try SessionSigningKey.load(fromFile: path) }
    }

    @Test("a missing directory is an error, not a key that is lost")
    func noDirectory() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/none/key"
        let message = "session key file '\(path)' cannot be written: no such file or directory"
        #expect(throws: SecretsError(.unreadable, message)) { try SessionSigningKey.load(fromFile: path) }
    }

    @Test("replacing a file leaves the new content, mode 0600 and nothing beside it")
    func replaces() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("old", to: "file", mode: 0o644)
        try PrivateFile.replace(path, with: Array("new".utf8), what: "test file")
        #expect(try PrivateFile.read(path, what: "test file") == Array("new".utf8))
        #expect(try scratch.mode(of: path) == 0o600)
        #expect(try scratch.names() == ["file"])
    }

    @Test("a file that is read whoever may read it is not refused for its mode")
    func shared() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("s", to: "secret", mode: 0o444)
        #expect(try PrivateFile.read(path, what: "secret file", whoeverMayRead: true) == Array("s".utf8))
    }
}
