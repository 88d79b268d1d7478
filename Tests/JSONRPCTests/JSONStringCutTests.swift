// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import JSONRPCOracle
import Testing

@Suite("Cutting strings")
struct JSONStringCutTests {
    private func cut(_ written: String, _ limit: Int) -> JSONString.Cut? {
        let bytes = Array("\"\(written)\"".utf8)
        return JSONString.cut(bytes.span, contents: 1..<bytes.count - 1, limit: limit)
    }

    private func kept(_ written: String, _ limit: Int) -> String? {
        cut(written, limit).map { String(decoding: Array(written.utf8)[..<($0.end - 1)], as: UTF8.self) }
    }

    @Test("a text that fits stays whole", arguments: ["", "abc", #"\u00e9\n"#, "é€"])
    func fits(written: String) {
        #expect(kept(written, 10) == written)
        #expect(cut(written, 10)?.kept == cut(written, 10)?.size)
    }

    @Test(
        "a text is cut at the end of the last character that fits",
        arguments: [
            ("abcdef", 3, "abc"), ("abcdef", 0, ""), ("abé", 3, "ab"), ("€", 2, ""), ("😀a", 3, ""),
            (#"a\u00e9b"#, 2, "a"), (#"a\u00e9b"#, 3, #"a\u00e9"#), (#"\ud83d\ude00b"#, 4, #"\ud83d\ude00"#),
            (#"\\\\\\"#, 2, #"\\\\"#),
        ])
    func cuts(written: String, limit: Int, wanted: String) {
        #expect(kept(written, limit) == wanted)
    }

    @Test("after a cut nothing is kept that would still fit")
    func nothingAfter() {
        let cut = cut(#"a€bc\n"#, 3)
        #expect(cut?.size == 7)
        #expect(cut?.kept == 1)
        #expect(cut?.end == 2)
    }

    @Test("a malformed escape is told", arguments: [#"a\q"#, #"\u12"#])
    func malformed(written: String) {
        #expect(cut(written, 10) == nil)
    }
}
