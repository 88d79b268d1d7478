// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Grammar")
struct GrammarTests {
    @Test(
        "what RFC 8259 allows is accepted",
        arguments: [
            "0", "-0", "10", "1.0", "-1.25e10", "1E+2", "1e-0", "1e99999", "true", "false", "null", #""""#, "[]", "{}",
            "[[],{}]",
            " \t\r\n[ 1 , 2 ] \n", #"{"":{"":[]}}"#, #""\"\\\/\b\f\n\r\t\u00aF""#, #""\ud800""#, #""\udc00\ud800""#,
            "\"\u{7F}\"",
            "\"\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}\"", #"{"a":1,"a":2}"#,
        ])
    func accepted(text: String) throws {
        _ = try MessageScanner.scan(Array(text.utf8))
    }

    @Test(
        "what RFC 8259 does not allow is refused at the byte where it goes wrong",
        arguments: [
            ("01", 1), ("-", 1), ("-a", 1), ("1.", 2), ("1.e1", 2), (".5", 0), ("+1", 0), ("1e", 2), ("1e+", 3),
            ("0x1", 1), ("tru", 3),
            ("trux", 3), ("nulll", 4), ("NaN", 0), ("'a'", 0), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("[1", 2),
            ("[", 1), ("]", 0),
            (#"{"a":1,}"#, 7), (#"{,"a":1}"#, 1), (#"{"a"}"#, 4), (#"{"a" 1}"#, 5), (#"{a:1}"#, 1), ("{1:1}", 1),
            (#"{"a":}"#, 5),
            (#"{"a":1"#, 6), ("[}", 1), ("{]", 1), ("[1}", 2), ("{} {}", 3), ("1 2", 2), ("\"a", 2), ("\"\\", 2),
            (#""\x""#, 2),
            (#""\u12"#, 5), (#""\u12g4""#, 5), ("\"a\nb\"", 2), ("\"\u{0}\"", 1), ("\u{FEFF}{}", 0), ("[1]//", 3),
            ("\u{A0}1", 0), ("\u{C}1", 0),
            (#"{"id":}"#, 6), (#"{"id":1"#, 7), (#"{"params":{"a":1]}"#, 16), (#"{"method":"#, 10),
            (#"{"params":{"_meta":"#, 19),
        ])
    func refused(text: String, offset: Int) throws {
        let error = try #require(throws: ScanError.self) { try MessageScanner.scan(Array(text.utf8)) }
        #expect(error.offset == offset)
        #expect([.notJSON, .truncated].contains(error.reason))
    }

    @Test(
        "bytes that are not UTF-8 are refused",
        arguments: [
            [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF], [0xE1, 0x80],
            [0xE1, 0x80, 0x41],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF1, 0x80, 0x80],
            [0xF1, 0x80, 0x80, 0x41],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFE], [0xFF],
        ] as [[UInt8]])
    func notUTF8(sequence: [UInt8]) {
        for padding in [0, 1, 14, 15, 16, 17, 70] {
            let bytes = [0x22] + [UInt8](repeating: 0x61, count: padding) + sequence + [0x22]
            #expect(throws: ScanError(.invalidUTF8, at: 1 + padding)) { try MessageScanner.scan(bytes) }
        }
    }

    @Test("a byte that needs attention is seen at every place of a string of every length")
    func everyPlace() {
        for length in 0..<100 {
            for place in 0..<length {
                for byte in [0x22, 0x1F, 0x5C, 0xC3] as [UInt8] {
                    var bytes = [UInt8](repeating: 0x7E, count: length + 2)
                    (bytes[0], bytes[length + 1]) = (0x22, 0x22)
                    bytes[place + 1] = byte
                    #expect(throws: ScanError.self, "\(byte) at \(place) of \(length)") {
                        try MessageScanner.scan(bytes)
                    }
                }
            }
        }
    }

    @Test("depth is counted over all levels, those that routing reads included")
    func depth() throws {
        func message(_ height: Int) -> [UInt8] {
            let tower = String(repeating: "[", count: height) + String(repeating: "]", count: height)
            return Array(#"{"params":{"_meta":{"a":\#(tower)}}}"#.utf8)
        }
        _ = try MessageScanner.scan(message(509))
        #expect(throws: ScanError(.tooDeep(limit: 512), at: 24 + 509)) { try MessageScanner.scan(message(510)) }
        _ = try MessageScanner.scan(message(1), maximumDepth: 4)
        #expect(throws: ScanError(.tooDeep(limit: 4), at: 25)) { try MessageScanner.scan(message(2), maximumDepth: 4) }
        #expect(throws: ScanError(.tooDeep(limit: 2), at: 19)) { try MessageScanner.scan(message(2), maximumDepth: 2) }
        #expect(throws: ScanError(.tooDeep(limit: 1024), at: 24 + 1021)) {
            try MessageScanner.scan(message(2000), maximumDepth: .max)
        }
        #expect(throws: ScanError(.tooDeep(limit: 0), at: 0)) { try MessageScanner.scan(message(0), maximumDepth: 0) }
        #expect(throws: ScanError(.tooDeep(limit: 0), at: 0)) { try MessageScanner.scan(message(0), maximumDepth: -5) }
    }

    @Test("the stack of containers keeps its order over the edges of its words")
    func longTower() throws {
        var text = ""
        var closing = ""
        for level in 0..<1000 {
            let isObject = level % 3 == 0 || level % 64 == 63
            text += isObject ? #"{"a":"# : "["
            closing = (isObject ? "}" : "]") + closing
        }
        let bytes = Array((text + "1" + closing).utf8)
        _ = try MessageScanner.scan(bytes, maximumDepth: 1024)
        for place in bytes.indices where bytes[place] == 0x5D || bytes[place] == 0x7D {
            var broken = bytes
            broken[place] ^= 0x5D ^ 0x7D
            #expect(throws: ScanError(.notJSON, at: place)) { try MessageScanner.scan(broken, maximumDepth: 1024) }
        }
    }
}
