// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Testing

struct KeyMarkerTests {
    private func encoding(in text: String, prefix: String = "KEY-MARK-") throws -> String? {
        try #require(KeyMarker(prefix: prefix)).encoding(in: Array(text.utf8))
    }

    @Test("a key is found wherever it stands", arguments: ["", "x", "KEY-MARK", "KEY-MARK-short ", "\u{0}\u{FF}"])
    func plain(before: String) throws {
        #expect(try encoding(in: before + "KEY-MARK-abcd1234" + before) == "plain")
    }

    @Test(
        "a mention of how keys begin is no key",
        arguments: [
            "KEY-MARK-", "KEY-MARK-abcd123", "KEY-MARK-abcd123\u{0}4", "KEY-MARK-${RANDOM}", "key-mark-abcd1234",
        ])
    func mention(text: String) throws {
        #expect(try encoding(in: text) == nil)
    }

    @Test(
        "a key is found in Base64, wherever in the encoded text it begins",
        arguments: [
            "S0VZLU1BUkstYWJjZDEyMzQ1Njc4", "eEtFWS1NQVJLLWFiY2QxMjM0NTY3OA==", "eHhLRVktTUFSSy1hYmNkMTIzNDU2Nzg=",
        ])
    func base64(text: String) throws {
        #expect(try encoding(in: "a " + text) == "Base64")
    }

    @Test("a key is found in hexadecimal")
    func hexadecimal() throws {
        #expect(try encoding(in: "4b45592d4d41524b2d6162636431323334") == "hexadecimal")
    }

    @Test("with a fingerprint only the very key counts")
    func fingerprint() throws {
        let key = "KEY-MARK-abcd1234"
        let digest = SHA256.hexadecimal(key.utf8)
        let marker = try #require(KeyMarker(prefix: "KEY-MARK-", fingerprint: (digest, key.utf8.count)))
        #expect(marker.encoding(in: Array("KEY-MARK-abcd1235".utf8)) == nil)
        #expect(marker.encoding(in: Array("KEY-MARK-abcd1235 \(key)...".utf8)) == "plain")
    }

    @Test("a beginning of fewer than four characters is refused")
    func short() {
        #expect(KeyMarker(prefix: "KEY") == nil)
    }
}
