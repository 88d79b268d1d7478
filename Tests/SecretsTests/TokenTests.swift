// SPDX-License-Identifier: Apache-2.0

import Secrets
import Testing

@Suite("Tokens")
struct TokenTests {
    @Test("a minted token has the prefix and 32 random bytes, and no two are alike")
    func minted() {
        let tokens = (0..<100).map { _ in BearerToken.mint().value }
        #expect(Set(tokens).count == 100)
        for token in tokens {
            #expect(token.hasPrefix("lodge_"))
            #expect(Base64URL.decode(token.dropFirst(6))?.count == 32)
        }
    }

    @Test("a digest knows its token and no other")
    func digest() {
        let token = BearerToken.mint()
        #expect(TokenDigest(of: token.value) == token.digest)
        #expect(TokenDigest(of: token.value + "x") != token.digest)
        #expect([token.digest: 1][TokenDigest(of: token.value)] == 1)
    }

    @Test("printing a token shows nothing of it")
    func withheld() {
        let token = BearerToken.mint()
        #expect("\(token)" == "BearerToken(withheld)")
        #expect(String(reflecting: token) == "BearerToken(withheld)")
    }

    @Test("a token file loses one line ending and nothing else")
    func file() throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("abc.DEF-1_2~3+/==\n", to: "token")
        #expect(try BearerToken.read(fromFile: path).value == "abc.DEF-1_2~3+/==")
    }

    @Test("an empty token file is refused", arguments: ["", "\n"])
    func empty(_ content: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(content, to: "token")
        #expect(throws: SecretsError(.malformed, "token file '\(path)' is empty; write a token into it")) {
            try BearerToken.read(fromFile: path)
        }
    }

    @Test("a token that would not pass in a header is refused", arguments: ["a b", "a\n\n", "a\u{0}", "ä", "=="])
    func malformed(_ content: String) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write(content, to: "token")
        let message =
            "token file '\(path)' holds characters that a bearer token cannot have;"
            + " use letters, digits and -._~+/ on one line"
        #expect(throws: SecretsError(.malformed, message)) { try BearerToken.read(fromFile: path) }
    }

    @Test(
        "a token file that others may read is refused with the command that mends it", arguments: [0o640, 0o604, 0o660])
    func exposed(_ mode: Int) throws {
        let scratch = try ScratchDirectory()
        let path = try scratch.write("abcd", to: "token", mode: mode)
        let message = "token file '\(path)' is open to other users; run: chmod 600 '\(path)'"
        #expect(throws: SecretsError(.exposed, message)) { try BearerToken.read(fromFile: path) }
    }

    @Test("a missing token file is named")
    func missing() throws {
        let scratch = try ScratchDirectory()
        let path = "\(scratch.path)/absent"
        let message = "token file '\(path)' cannot be read: no such file or directory"
        #expect(throws: SecretsError(.unreadable, message)) { try BearerToken.read(fromFile: path) }
    }

    @Test("a directory is not a token file")
    func directory() throws {
        let scratch = try ScratchDirectory()
        let message = "token file '\(scratch.path)' is not a regular file; name a regular file"
        #expect(throws: SecretsError(.unreadable, message)) { try BearerToken.read(fromFile: scratch.path) }
    }

    @Test("a token that another program chose is any visible ASCII, and nothing else")
    func foreign() {
        #expect(BearerToken(foreign: "s3cret:with#signs")?.value == "s3cret:with#signs")
        for text in ["", "two words", "tab\t", "ä", "line\n"] { #expect(BearerToken(foreign: text) == nil) }
    }

    @Test("base64url goes there and back for every length")
    func base64url() {
        for count in 0..<40 {
            let bytes = RandomBytes.make(count)
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
    }

    @Test(
        "base64url refuses padding, other letters, odd lengths and unused bits",
        arguments: ["QQ==", "a+b/", "A", "QR", "A B"])
    func notBase64URL(_ text: String) {
        #expect(Base64URL.decode(text) == nil)
    }
}
