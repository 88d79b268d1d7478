// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Scan errors")
struct ScanErrorTests {
    @Test(
        "an error names what is wrong and where",
        arguments: [
            ("", "the message is empty"),
            (" \n", "the message is empty"),
            ("{x", "the message is not JSON (byte 1)"),
            (#"{"id":"#, "the message ends in the middle of a value (byte 6)"),
            ("[[[[", "the message is nested deeper than 3 levels (byte 3)"),
            (#"{"id":1,"id":2}"#, "the message has the member 'id' twice (byte 8)"),
            (#"{"params":{"_meta":{},"_meta":{}}}"#, "the message has the member 'params._meta' twice (byte 22)"),
        ])
    func texts(text: String, description: String) throws {
        let error = try #require(throws: ScanError.self) { try MessageScanner.scan(Array(text.utf8), maximumDepth: 3) }
        #expect(error.description == description)
    }

    @Test("the rest of the errors say what they are as well")
    func otherTexts() throws {
        let error = try #require(throws: ScanError.self) { try MessageScanner.scan([0x22, 0xFF, 0x22]) }
        #expect(error.description == "the message is not UTF-8 (byte 1)")
        let noBatch = try #require(throws: ScanError.self) {
            try MessageScanner.batchElements(of: Array(" {}".utf8).span)
        }
        #expect(noBatch.description == "the message is not a batch (byte 1)")
        #expect(ScanError(.tooLong, at: 0).description == "the message is longer than 4294967294 bytes")
    }

    @Test("a member that routing reads must not stand twice, whatever its spelling", arguments: Member.allCases)
    func duplicates(member: Member) throws {
        // Only the way down is split; the protocol's own names have dots in them.
        let path = member.path.split(separator: ".", maxSplits: member.path.contains("_meta.") ? 2 : 1).map(String.init)
        let isVersion = member == .jsonrpc
        let name = isVersion ? "jsonrpc" : path[path.count - 1]
        let escaped = #"\u00"# + String(name.utf8.first ?? 0, radix: 16) + name.dropFirst()
        var text = #"{"\#(name)":1,"\#(escaped)":2}"#
        for key in path.dropLast().reversed() { text = #"{"\#(key)":\#(text)}"# }
        let error = try #require(throws: ScanError.self) { try MessageScanner.scan(Array(text.utf8)) }
        #expect(error.reason == .duplicateMember(member))
    }

    @Test("any other member may stand twice")
    func harmlessDuplicates() throws {
        _ = try MessageScanner.scan(
            Array(#"{"x":1,"x":2,"params":{"a":1,"a":1,"id":1,"id":2},"result":{"name":1,"name":2}}"#.utf8))
    }
}
