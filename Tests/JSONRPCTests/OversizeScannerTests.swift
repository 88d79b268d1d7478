// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import JSONRPCOracle
import Testing

@Suite("Messages that are not held")
struct OversizeScannerTests {
    @Test("it agrees with the scanner for every size of chunk", arguments: DifferentialTests.samples)
    func chunks(sample: [UInt8]) {
        for chunk in 1...sample.count { #expect(Checks.oversize(sample, chunk: chunk) == nil) }
    }

    private func salvage(_ bytes: [UInt8]) -> [UInt8]? {
        OversizeScanner.salvageID(in: bytes.span)?.array
    }

    private func findings(_ text: String) -> OversizeScanner.Findings {
        var scanner = OversizeScanner()
        scanner.consume(Array(text.utf8).span)
        return scanner.finish()
    }

    @Test(
        "the id of a broken message is told when it can be",
        arguments: [
            (#"{"id":7,"result":{"text":"cut off"#, "7"),
            (#"{"\u0069d":"a-1" ,"result":tru}"#, #""a-1""#),
            (#"{"result":[1,2,],"x":{"a"},"id": 12}"#, "12"),
            (#"{"id":3} trailing"#, "3"),
            (#"{"id":[1,{"a":"]"}],"#, #"[1,{"a":"]"}]"#),
            ("{\"id\":5,\"x\":\"line\u{1}break\"}", "5"),
        ])
    func salvaged(text: String, id: String) {
        #expect(salvage(Array(text.utf8)) == Array(id.utf8))
    }

    @Test(
        "no id is made up",
        arguments: [
            "", "   ", "x", "[{\"id\":1}]", #"{"id":1"#, #"{"id":12"#, #"{"id":"ab"#, #"{"id":1,"id":2}"#,
            #"{"id":tru,"x":1}"#, #"{"id":}"#,
            #"{"id":01}"#, #"{"id" 1}"#, #"{"result":{"id":1}}"#, #"{"result":"\"id\":1","x":{"id":2}"#,
            "{\"id\":\"a\nb\"}", #"{"id":[}}"#, #"{"result":[1,2,}],"id":1}"#,
            #"log: {"id":1}"#, #"{"id":"#, #"{"id":1x,"a":2}"#, #"{"i\d":1}"#,
        ])
    func notSalvaged(text: String) {
        #expect(salvage(Array(text.utf8)) == nil)
    }

    @Test(
        "of a message with several ids none is chosen, and each that can be told is named",
        arguments: [
            (#"{"id":1,"result":{},"id":2}"#, ["1", "2"]), (#"{"id":1,"i\u0064":"a"}"#, ["1", #""a""#]),
            (#"{"id":1,"id":tru}"#, ["1"]), (#"{"id":3,"result":1}"#, []),
            ("{" + (1...12).map { #""id":\#($0)"# }.joined(separator: ",") + "}", (5...12).map { "\($0)" }),
        ])
    func rivals(text: String, ids: [String]) {
        let findings = findings(text)
        #expect(findings.rivalIDs.map(\.array) == ids.map { Array($0.utf8) })
        #expect(ids.isEmpty || findings.id == nil)
    }

    @Test("an id that is not UTF-8 does not come back")
    func invalidID() {
        let bytes = Array("{\"id\":\"".utf8) + [0xFF] + Array("\",\"result\":1}".utf8)
        #expect(salvage(bytes) == nil)
        let elsewhere = Array("{\"id\":\"a\",\"result\":\"".utf8) + [0xFF] + Array("\"}".utf8)
        #expect(salvage(elsewhere) == Array(#""a""#.utf8))
    }

    @Test("keys and ids up to the limit are known, longer ones are passed by")
    func bounds() {
        let fits = String(repeating: "a", count: OversizeScanner.keptBytes - 2)
        #expect(findings(#"{"id":"\#(fits)","method":1}"#).id == RawID(string: fits))
        let over = findings(#"{"id":"\#(fits)b","\#(fits)bcd":1,"method":"m"}"#)
        #expect(over.id == nil && over.hasMethod && over.isWhole)
    }

    @Test("a method counts only at the top")
    func method() {
        #expect(findings(#"{"method":"m"}"#).hasMethod)
        #expect(findings(#"{"m\u0065thod":null}"#).hasMethod)
        #expect(!findings(#"{"result":{"method":"m"},"x":"method"}"#).hasMethod)
    }

    @Test("it says whether the message was whole")
    func whole() {
        #expect(findings(" {\"a\":[1]} \n").isWhole)
        for text in ["{", #"{"a":1"#, "{} x", "", "[]"] { #expect(!findings(text).isWhole) }
    }

    @Test("it can be used again after the end of a message")
    func reuse() {
        var scanner = OversizeScanner()
        scanner.consume(Array(#"{"id":1,"method":"cut"#.utf8).span)
        #expect(scanner.finish().id == RawID(1))
        scanner.consume(Array(#"{"result":1}"#.utf8).span)
        #expect(scanner.finish() == OversizeScanner.Findings(id: nil, hasMethod: false, isWhole: true))
    }
}
