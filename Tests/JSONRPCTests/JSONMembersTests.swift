// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Members")
struct JSONMembersTests {
    private func find(_ text: String, from start: Int = 0) -> JSONMembers.Finding {
        let bytes = Array(text.utf8)
        return JSONMembers.find("tools", in: bytes.span, object: start..<bytes.count)
    }

    @Test("a member is found by its unescaped name, in offsets of the whole message")
    func found() {
        #expect(find(#"{"a":{"tools":1},"tools": [2]}"#) == .value(26..<29))
        #expect(find(#"{"\u0074ools":7}"#) == .value(14..<15))
        #expect(find(#"[1,{"tools":7}"#, from: 3) == .value(12..<13))
    }

    @Test(
        "what is not there, or stands in no object, is absent",
        arguments: ["{}", #"{"a":{"tools":1}}"#, "[]", "1", "", #"{"tools":"#])
    func absent(text: String) {
        #expect(find(text) == .absent)
    }

    @Test(
        "members are left out by their unescaped names; the others keep their bytes",
        arguments: [
            (#"{"a":1,"tools":{"b":[1]},"c": 1.0e0}"#, #"{"a":1,"c": 1.0e0}"#),
            (#"{ "tools" : 1 }"#, "{}"), (#"{"\u0074ools":1,"logging":2,"tools":3}"#, "{}"),
            (#"{"tools":1 , "a" : {"tools":2}}"#, #"{"a" : {"tools":2}}"#), (#"{"a":1}"#, nil), ("{}", nil),
            ("[]", nil), (#"{"tools":1"#, nil),
        ])
    func without(text: String, kept: String?) {
        let bytes = Array("[\(text)".utf8)
        let object = JSONMembers.without(["tools", "logging"], in: bytes.span, object: 1..<bytes.count)
        #expect(object.map { String(decoding: $0, as: UTF8.self) } == kept)
    }

    @Test("a name that stands twice is ambiguous")
    func twice() {
        #expect(find(#"{"tools":1,"tools":2}"#) == .ambiguous)
    }
}
