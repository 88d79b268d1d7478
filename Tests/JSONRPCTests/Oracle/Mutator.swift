// SPDX-License-Identifier: Apache-2.0

/// Breaks a message in the ways in which broken messages arrive.
package enum Mutator {
    private static let interesting: [[UInt8]] = [
        [0x22], [0x5C], [0x7B], [0x7D], [0x5B], [0x5D], [0x2C], [0x3A], [0x00], [0x0A], [0x1F], [0x7F], [0x80],
        [0xC0, 0x80],
        [0xC1, 0xBF], [0xC2], [0xE0, 0x80, 0x80], [0xE0, 0xA0, 0x80], [0xED, 0xA0, 0x80], [0xED, 0x9F, 0xBF],
        [0xEF, 0xBB, 0xBF],
        [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x90, 0x80, 0x80], [0xF4, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80], [0xF5],
        [0xFF],
        [0xE2, 0x82], [0xF0, 0x9F, 0x98], Array("\\u".utf8), Array("\\u12".utf8), Array("\\ud800".utf8),
        Array("\\x".utf8),
        Array("01".utf8), Array("1.".utf8), Array(".5".utf8), Array("1e".utf8), Array("-".utf8), Array("+1".utf8),
        Array("nul".utf8),
        Array("NaN".utf8), Array("//".utf8), Array(",}".utf8), Array(",]".utf8), Array(#","id":1"#.utf8),
        Array("'".utf8),
    ]

    package static func mutate(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0...random.below(3) {
            let place = random.below(bytes.count + 1)
            switch random.below(7) {
            case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
            case 1 where place < bytes.count: bytes[place] = UInt8(random.below(256))
            case 2: bytes.removeSubrange(place...)
            case 3 where place < bytes.count: bytes.remove(at: place)
            case 4:
                let end = min(place + random.below(20), bytes.count)
                bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count + 1))
            case 5:
                let end = min(place + random.below(20), bytes.count)
                bytes.removeSubrange(place..<end)
            default: bytes.insert(contentsOf: random.pick(interesting), at: place)
            }
        }
        return bytes
    }
}
