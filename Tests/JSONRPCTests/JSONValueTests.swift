// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import Testing

@Suite("Trees and built messages")
struct JSONValueTests {
    @Test("a document is read and written with its order, its spelling and its equal members")
    func roundTrip() throws {
        let text = #"{"b":1.50,"a":[true,false,null,"x\n"],"b":{"":-0},"n":123456789012345678901234567890}"#
        let value = try JSONValue.parse(Array(text.utf8))
        #expect(String(decoding: value.serialized, as: UTF8.self) == text)
        #expect(value["b"] == ["": .number(try #require(JSONValue.Number("-0")))])
        #expect(value["a"]?.elements?.count == 4)
        #expect(value["a"]?.elements?.last?.string == "x\n")
        #expect(value["a"]?.elements?.first?.bool == true)
        #expect(value["n"]?.integer == nil)
        #expect(value["none"] == nil)
        #expect(value.members?.map(\.name) == ["b", "a", "b", "n"])
    }

    @Test("a document is built from literals")
    func literals() {
        let value: JSONValue = ["server": "files", "code": -3, "ok": false, "list": [1, nil]]
        #expect(
            String(decoding: value.serialized, as: UTF8.self)
                == #"{"server":"files","code":-3,"ok":false,"list":[1,null]}"#)
        #expect(value["code"]?.integer == -3)
    }

    @Test(
        "a number is only what RFC 8259 calls one",
        arguments: ["", "nan", "1 ", " 1", "0x1", "01", "+1", "\"1\"", "null", "[1]", "1,2"])
    func numbers(text: String) {
        #expect(JSONValue.Number(text) == nil)
        #expect(JSONValue.Number("1.5e3")?.double == 1500)
    }

    @Test("depth is limited")
    func depth() throws {
        func tower(_ height: Int) -> [UInt8] {
            [UInt8](repeating: 0x5B, count: height) + [UInt8](repeating: 0x5D, count: height)
        }
        _ = try JSONValue.parse(tower(128))
        #expect(throws: ScanError(.tooDeep(limit: 128), at: 128)) { try JSONValue.parse(tower(129)) }
    }

    private func expect(_ bytes: [UInt8], _ text: String, _ kind: Envelope.Kind) throws {
        #expect(String(decoding: bytes, as: UTF8.self) == text)
        let envelope = try MessageScanner.scan(bytes)
        #expect(envelope.kind == kind && envelope.hasVersion2 && !envelope.hasLineBreaks)
    }

    @Test("Lodge's own messages are built as JSON-RPC wants them")
    func builder() throws {
        let data = Array(#"{"server":"files"}"#.utf8)
        try expect(
            MessageBuilder.result(id: RawID(string: "a"), Array("{}".utf8)), #"{"jsonrpc":"2.0","id":"a","result":{}}"#,
            .response)
        try expect(
            MessageBuilder.error(id: RawID(7), code: -32000, message: "a \"b\"", data: data),
            #"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"message":"a \"b\"","data":{"server":"files"}}}"#,
            .errorResponse)
        try expect(
            MessageBuilder.error(id: nil, code: -32700, message: "m"),
            #"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}"#, .errorResponse)
        try expect(
            MessageBuilder.request(id: RawID(1), method: "ping"), #"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, .request
        )
        try expect(
            MessageBuilder.request(id: RawID(1), method: "m", params: data),
            #"{"jsonrpc":"2.0","id":1,"method":"m","params":{"server":"files"}}"#, .request)
        try expect(
            MessageBuilder.notification(method: "m", params: Array("{}".utf8)),
            #"{"jsonrpc":"2.0","method":"m","params":{}}"#, .notification)
    }
}
