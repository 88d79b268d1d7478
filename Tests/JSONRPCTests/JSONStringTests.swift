// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Strings")
struct JSONStringTests {
    private func decode(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return JSONString.decode(bytes.span, 0..<bytes.count)
    }

    @Test(
        "a raw value is decoded",
        arguments: [
            (#""""#, ""), (#""plain é""#, "plain é"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"),
            (#""\u0041\u00e9\u6F22""#, "Aé漢"),
            (#""\ud83d\ude00""#, "😀"), (#""\uD83D\uDE00x""#, "😀x"), (#""\ud800""#, "\u{FFFD}"),
            (#""\ud800\ud83d\ude00""#, "\u{FFFD}😀"),
            (#""\ude00a""#, "\u{FFFD}a"), (#""\ud800\n""#, "\u{FFFD}\n"), (#""\u0000""#, "\0"),
        ])
    func decoded(text: String, value: String) {
        #expect(decode(text) == value)
    }

    @Test(
        "what is no string is not decoded",
        arguments: ["", "\"", "1", "null", "{}", "\"a", "a\"", #""\"#, #""\x""#, #""\u12""#, #""\u12G4""#, #""\u123"#])
    func notStrings(text: String) {
        #expect(decode(text) == nil)
    }

    @Test("contents are compared after unescaping", arguments: ["ping", #"p\u0069ng"#, #"\u0070\u0069\u006e\u0067"#])
    func equality(text: String) {
        let bytes = Array(text.utf8)
        let contents = 0..<bytes.count
        for name in ["ping", "pin", "pingg", "pinG", ""] as [StaticString] {
            let isName = JSONString.equals(bytes.span, contents: contents, name)
            let isText = JSONString.equals(bytes.span, contents: contents, name.description)
            #expect(isName == (name.description == "ping"))
            #expect(isText == isName)
        }
    }

    @Test("texts that only look the same are not equal")
    func canonicalEquivalence() {
        for written in ["e\u{301}", #"e\u0301"#] {
            let bytes = Array(written.utf8)
            let isComposed = JSONString.equals(bytes.span, contents: 0..<bytes.count, "\u{E9}" as String)
            let isDecomposed = JSONString.equals(bytes.span, contents: 0..<bytes.count, "e\u{301}" as String)
            #expect(!isComposed && isDecomposed)
        }
    }

    @Test("encoding escapes what RFC 8259 demands and nothing else")
    func encoding() {
        var bytes: [UInt8] = []
        JSONString.encode("a/\"\\\n\r\t\u{0}\u{8}\u{1F}\u{7F}é\u{2028}😀", into: &bytes)
        #expect(
            String(decoding: bytes, as: UTF8.self) == "\"a/\\\"\\\\\\n\\r\\t\\u0000\\u0008\\u001f\u{7F}é\u{2028}😀\"")
    }

    @Test("every character below 128 survives encoding and decoding")
    func roundTrip() throws {
        let text = String(decoding: (0..<128).map { UInt8($0) }, as: UTF8.self)
        var bytes: [UInt8] = []
        JSONString.encode(text, into: &bytes)
        _ = try MessageScanner.scan(bytes)
        let decoded = JSONString.decode(bytes.span, 0..<bytes.count)
        #expect(decoded == text)
    }
}
