// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Testing

struct SHA256Tests {
    @Test("the digest of 'abc' is that of FIPS 180-4")
    func digest() {
        #expect(
            SHA256.hexadecimal("abc".utf8) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("a message of more than one block has the digest of FIPS 180-4")
    func twoBlocks() {
        let message = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
        #expect(
            SHA256.hexadecimal(message.utf8) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    }

    @Test("the code of RFC 4231, test case 2, is right")
    func authenticationCode() {
        #expect(
            SHA256.authenticationCode(of: "what do ya want for nothing?", key: "Jefe")
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
