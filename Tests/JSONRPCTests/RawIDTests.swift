// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Ids")
struct RawIDTests {
    static let numbers: [Int64] = [
        0, 1, -1, 9, 10, 99, -100, 12_345_678, .max, .max - 1, .min, .min + 1, 9_007_199_254_740_993,
    ]

    @Test("an integer is written in decimal and read back", arguments: numbers)
    func decimal(value: Int64) {
        let digits = DecimalBytes(value)
        #expect(digits.array == Array(String(value).utf8))
        #expect(digits.count == digits.array.count)
        #expect(digits.withSpan { RawID.integer(in: $0, 0..<$0.count) } == value)
        #expect(RawID(value).array == digits.array)
    }

    @Test(
        "only the plain spelling of an integer is read as one",
        arguments: [
            "", "-", "-0", "00", "01", "-01", "+1", "1.0", "1e3", "\"1\"", "null", " 1", "1 ", "9223372036854775808",
            "-9223372036854775809", "99999999999999999999", "123456789012345678901",
        ])
    func notCanonical(text: String) {
        let bytes = Array(text.utf8)
        let value = RawID.integer(in: bytes.span, 0..<bytes.count)
        #expect(value == nil)
    }

    @Test("ids of every length come back as they were, and are equal only to themselves")
    func lengths() {
        let bytes = (0..<80).map { UInt8($0) }
        var ids: Set<RawID> = []
        for length in 0...80 {
            let id = RawID(bytes.span, 0..<length)
            #expect(id.array == Array(bytes[..<length]))
            #expect(id.count == length)
            #expect(id.withSpan { Array(copying: $0) } == id.array)
            #expect(ids.insert(id).inserted)
            #expect(!ids.insert(RawID(Array(bytes[..<length]))).inserted)
        }
    }

    @Test("trailing zero bytes count")
    func zeroBytes() {
        #expect(RawID([1]) != RawID([1, 0]))
        #expect(RawID([]) != RawID([0]))
    }

    @Test("a string id has quotes and escapes")
    func strings() {
        #expect(RawID(string: "a\"b").array == Array(#""a\"b""#.utf8))
        #expect(RawID(string: "1") != RawID(1))
    }

    @Test("the common id takes no more than four words")
    func size() {
        #expect(MemoryLayout<RawID>.size <= 32)
    }
}
