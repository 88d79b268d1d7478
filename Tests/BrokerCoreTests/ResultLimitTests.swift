// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Limit of a tool's result")
struct ResultLimitTests {
    private func answer(_ result: String, limit: Int, call: String = Sample.call(id: "7")) throws -> String {
        let server = try ServerUnderPolicy(resultLimit: limit)
        return try #require(server.ask(call, answer: Sample.answer(id: "2", result)).first)
    }

    private func text(_ text: String) -> String { #"{"type":"text","text":"\#(text)"}"# }
    private func notice(_ what: String) -> String { text("[lodge: \(what); server 'files']") }

    @Test("a text that is longer is cut, and a notice follows; every other byte stays")
    func cut() throws {
        let long = String(repeating: "x", count: 100)
        let body = try answer(
            #"{ "content" : [ {"text":"\#(long)", "type":"text","annotations":{"priority":1.0}}], "y":1.0 }"#, limit: 64
        )
        let kept = String(repeating: "x", count: 64)
        #expect(
            body
                == Sample.answer(
                    id: "7",
                    #"{ "content" : [{"text":"\#(kept)", "type":"text","annotations":{"priority":1.0}},"#
                        + notice("cut to 64 of 100 bytes") + #"], "y":1.0 }"#))
    }

    @Test("an answer within the limit is not looked into, a longer one whose text is within it is not changed")
    func within() throws {
        let short = #"{"content":[{"type":"text","type":"text","text":"hi"}]}"#
        #expect(try answer(short, limit: 1000) == Sample.answer(id: "7", short))
        let padded =
            #"{"content":[ {"type":"image","data":"\#(String(repeating: "A", count: 200))"} ,\#(text("hi"))],"isError":true}"#
        #expect(try answer(padded, limit: 64) == Sample.answer(id: "7", padded))
    }

    @Test("the limit counts all texts together; what follows a cut is taken out, but for what is no text")
    func several() throws {
        let (ten, image) = (String(repeating: "0123456789", count: 1), #"{"type":"image","data":"AAAA"}"#)
        let body = try answer(
            #"{"content":[\#(text(ten)),\#(image),\#(text(ten)),\#(text("abc")),\#(image)]}"#, limit: 15)
        #expect(
            body
                == Sample.answer(
                    id: "7",
                    #"{"content":[\#(text(ten)),\#(image),\#(text("01234")),\#(image),"#
                        + notice("cut to 15 of 23 bytes") + "]}"))
    }

    @Test("a text of which nothing is left is taken out")
    func nothingLeft() throws {
        let body = try answer(#"{"content":[\#(text("😀😀😀😀😀"))]}"#, limit: 3)
        #expect(body == Sample.answer(id: "7", #"{"content":["# + notice("cut to 0 of 20 bytes") + "]}"))
    }

    @Test("no character and no escape is cut in two")
    func boundaries() throws {
        for (written, kept, bytes, size) in [
            (#"ab\n\u00e9xxxxxxxx"#, #"ab\n"#, 3, 13), (#"ab\ud83d\ude00xxxxxx"#, "ab", 2, 12),
            ("abéxxxxxxxxxx", "abé", 4, 14), ("abc€xxxxxxxxx", "abc", 3, 15), (#"abc\\xxxxxxxx"#, #"abc\\"#, 4, 12),
            (#"a\ud83dxxxxxxxxx"#, #"a\ud83d"#, 4, 13),
        ] {
            let body = try answer(#"{"content":[\#(text(written))]}"#, limit: 4)
            #expect(
                body
                    == Sample.answer(
                        id: "7",
                        #"{"content":[\#(text(kept)),"# + notice("cut to \(bytes) of \(size) bytes") + "]}"))
        }
    }

    @Test("structured content over the limit is left out, and the result says so as an error")
    func structured() throws {
        let structure = #"{"rows":"\#(String(repeating: "r", count: 50))"}"#
        let body = try answer(
            #"{"_meta":{"k":1.0},"content":[\#(text(String(repeating: "t", count: 30)))],"#
                + #""structuredContent":\#(structure),"isError":false}"#, limit: 20)
        #expect(
            body
                == Sample.answer(
                    id: "7",
                    #"{"content":[\#(text(String(repeating: "t", count: 20))),"#
                        + notice("cut to 20 of 30 bytes") + ","
                        + notice("structured content of 61 bytes left out, the limit is 20")
                        + #"],"isError":true,"_meta":{"k":1.0}}"#))
    }

    @Test("structured content within the limit stays beside a text that is cut")
    func structuredWithin() throws {
        let body = try answer(
            #"{"content":[\#(text(String(repeating: "t", count: 30)))],"structuredContent":{"n":1.0}}"#, limit: 20)
        #expect(
            body
                == Sample.answer(
                    id: "7",
                    #"{"content":[\#(text(String(repeating: "t", count: 20))),"#
                        + notice("cut to 20 of 30 bytes") + #"],"structuredContent":{"n":1.0}}"#))
    }

    @Test(
        "a long result that can be read in two ways is not passed on",
        arguments: [
            #""content":[],"content":[]"#, #""content":[{"type":"text","text":"a","text":"b"}]"#,
            #""content":[{"type":"text","t\u0079pe":"image","text":"a"}]"#,
            #""structuredContent":1,"structuredContent":2"#,
        ])
    func ambiguous(members: String) throws {
        let padding = String(repeating: "p", count: 100)
        let body = try answer(#"{\#(members),"p":"\#(padding)"}"#, limit: 64)
        #expect(
            body == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32000,"#
                + #""message":"server 'files' answered with a long result that can be read in two ways","#
                + #""data":{"server":"files","reason":"unusable-answer","#
                + #""hint":"the answer was dropped; this is a fault of the server"}}}"#)
    }

    @Test("answers of other methods and errors are never cut")
    func others() throws {
        let result = #"{"content":[\#(text(String(repeating: "x", count: 100)))]}"#
        let read = #"{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"a:1"}}"#
        #expect(try answer(result, limit: 8, call: read) == Sample.answer(id: "7", result))
        let server = try ServerUnderPolicy(resultLimit: 8)
        let error = #"{"id":2,"error":{"code":1,"message":"\#(String(repeating: "x", count: 100))"}}"#
        #expect(try server.ask(Sample.call(id: "2"), answer: error) == [error])
    }

    @Test(
        "a result that is fetched as a task's is cut too, in an upstream of one client",
        arguments: ["tools/call", "tasks/result"])
    func oneClient(method: String) throws {
        let fixture = try ServerFixture()
        let server = fixture.clientServer { $0.multiplexer.resultLimit = 8 }
        let (opening, sink) = (RecordingSink(), RecordingSink())
        _ = server.receive(try .of(Sample.initialize), sink: opening)
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        let request = #"{"jsonrpc":"2.0","id":7,"method":"\#(method)","params":{"name":"a","taskId":"t"}}"#
        _ = server.receive(try .of(request, session: opening.openedSession), sink: sink)
        try upstream.serve(Sample.answer(id: "2", #"{"content":[\#(text("0123456789"))]}"#))
        #expect(
            sink.bodies == [
                Sample.answer(id: "7", #"{"content":[\#(text("01234567")),"# + notice("cut to 8 of 10 bytes") + "]}")
            ])
    }

    // MARK: Against values

    private static let pieces = [
        "a", "bc", " ", "é", "€", "😀", "\\n", "\\\\", "\\\"", "\\u0041", "\\u00e9", "\\u20ac", "\\ud83d\\ude00", "\\/",
    ]

    @Test("random texts are cut as their values say", arguments: 0..<300)
    func random(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let items = (0..<1 + random.below(4)).map { _ -> String in
            guard random.below(4) > 0 else { return #"{"type":"image","data":"AAAA"}"# }
            return text((0..<random.below(30)).map { _ in random.pick(Self.pieces) ?? "" }.joined())
        }
        let result = #"{"content":[\#(items.joined(separator: ","))],"z":[1.0]}"#
        let limit = 1 + random.below(60)
        let before = try #require(JSONValue.parse(Array(result.utf8))["content"]?.elements)
        let body = try answer(result, limit: limit)
        let after = try #require(JSONValue.parse(Array(body.utf8))["result"]?["content"]?.elements)

        func texts(_ content: [JSONValue]) -> [String] {
            content.filter { $0["type"] == "text" }.compactMap { $0["text"]?.string }
        }
        let whole = texts(before).joined()
        guard whole.utf8.count > limit else {
            #expect(body == Sample.answer(id: "7", result))
            return
        }
        let kept = texts(after).dropLast().joined()
        // As much as fits, and no more: the first scalars that end within the limit.
        var wanted = String.UnicodeScalarView()
        var bytes = 0
        for scalar in whole.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= limit else { break }
            wanted.append(scalar)
        }
        #expect(kept.unicodeScalars.elementsEqual(wanted))
        #expect(
            texts(after).last
                == "[lodge: cut to \(kept.utf8.count) of \(whole.utf8.count) bytes; server 'files']")
        #expect(after.filter { $0["type"] == "image" } == before.filter { $0["type"] == "image" })
        #expect(body.hasSuffix(#"],"z":[1.0]}}"#))
    }
}
