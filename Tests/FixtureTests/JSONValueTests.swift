// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Testing

struct JSONValueTests {
    @Test(
        "compact JSON comes back as it went in",
        arguments: [
            #"{"b":1,"a":[true,false,null],"b":2}"#, "1.0", "-0", "1e400", "123456789012345678901234567890", "[]", "{}",
            #""\"\\\n\u001f é 😀""#, #"{"":{"":[[[]]]}}"#,
        ])
    func roundTrip(text: String) throws {
        #expect(try JSONValue(parsing: text).json == text)
    }

    @Test("escapes are resolved, and half a surrogate pair is replaced")
    func escapes() throws {
        let value = try JSONValue(parsing: #""\u0041\/\ud83d\ude00\ud83dx\b""#)
        #expect(value == .string("A/😀\u{FFFD}x\u{8}"))
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", " ", "{", "[1,]", "{\"a\"}", "01", "1.", "+1", "tru", "\"a", "1 2", "\"\\x\"", "\"\\u12\"", "{a:1}",
            "-",
        ])
    func refused(text: String) {
        #expect(throws: JSONParsingError.self) { try JSONValue(parsing: text) }
    }

    @Test("a string that is not UTF-8 is refused")
    func notUTF8() {
        let error = #expect(throws: JSONParsingError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(error?.description == "a string is not UTF-8 at byte 1")
    }

    @Test("nesting is refused beyond 512 levels")
    func nesting() throws {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        _ = try JSONValue(parsing: nested(512))
        #expect(throws: JSONParsingError.self) { try JSONValue(parsing: nested(513)) }
    }

    @Test("setting a member replaces it in its place, and nil removes it")
    func members() {
        var value: JSONValue = ["a": 1, "b": 2]
        value["a"] = "x"
        value["c"] = nil
        #expect(value.json == #"{"a":"x","b":2}"#)
        value["a"] = nil
        #expect(value.json == #"{"b":2}"#)
    }
}
