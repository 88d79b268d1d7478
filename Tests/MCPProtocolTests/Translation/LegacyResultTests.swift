// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("Answers of modern servers for legacy clients")
struct LegacyResultTests {
    @Test(
        "the type goes out with one comma, wherever it stands",
        arguments: [
            (#"{"resultType":"complete"}"#, "{}"), (#"{"resultType":"complete","a":1}"#, #"{"a":1}"#),
            (#"{"a":1,"resultType":"complete"}"#, #"{"a":1}"#),
            (#"{"a":1 , "result\u0054ype" : "complete" }"#, #"{"a":1  }"#),
            (#"{"a":"\"", "resultType":"complete" ,"b":2}"#, #"{"a":"\"", "b":2}"#), (#"{"a":1}"#, #"{"a":1}"#),
        ])
    func typeMember(modern: String, legacy: String) throws {
        let message = Array(#"{"id":1,"result":"#.utf8) + Array(modern.utf8) + Array("}".utf8)
        var rest = message
        if let member = LegacyResult.typeMember(try MessageScanner.scan(message.span), in: message.span) {
            rest.removeSubrange(member)
        }
        #expect(String(decoding: rest, as: UTF8.self) == #"{"id":1,"result":"# + legacy + "}")
    }

    @Test("codes that the legacy era does not know become ones that it does")
    func codes() {
        func code(_ code: Int, isRead: Bool = false, namesResource: Bool = false) -> Int {
            LegacyResult.errorCode(code, isRead: isRead, namesResource: namesResource)
        }
        #expect(code(-32602, isRead: true, namesResource: true) == -32002)
        #expect(code(-32602, isRead: true) == -32602)
        #expect(code(-32602, namesResource: true) == -32602)
        #expect([-32020, -32021, -32022].map { code($0) } == [-32600, -32600, -32600])
        #expect([-32601, -32603, 7].map { code($0) } == [-32601, -32603, 7])
    }
}
