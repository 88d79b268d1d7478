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

    @Test("a name that stands twice is ambiguous")
    func twice() {
        #expect(find(#"{"tools":1,"tools":2}"#) == .ambiguous)
    }
}
