// SPDX-License-Identifier: Apache-2.0

private import Crypto

/// The SHA-256 digest of a bearer token, which is all that Lodge keeps of it.
///
/// Two digests are compared without a branch on their content, so the time of a comparison says nothing about how much
/// of a guessed token was right. A token has 32 random bytes, so a plain digest is enough; it would not be for a
/// password.
package struct TokenDigest: Hashable, Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// Digests the text of a token as a client presents it.
    package init(of token: some StringProtocol) {
        var words: [UInt64] = [0, 0, 0, 0]
        for (index, byte) in SHA256.hash(data: Array(token.utf8)).enumerated() {
            words[index / 8] = words[index / 8] << 8 | UInt64(byte)
        }
        self.words = (words[0], words[1], words[2], words[3])
    }

    package static func == (left: TokenDigest, right: TokenDigest) -> Bool {
        var difference = left.words.0 ^ right.words.0
        difference |= left.words.1 ^ right.words.1
        difference |= left.words.2 ^ right.words.2
        difference |= left.words.3 ^ right.words.3
        return difference == 0
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}
