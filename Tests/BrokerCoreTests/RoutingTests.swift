// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Routing of calls and answers")
struct RoutingTests {
    @Test(
        "an id of any form reaches the server as a ticket and comes back byte-identical",
        arguments: [
            "7", "0", "-1", #""7""#, #""a\u0062 \"c\"""#, "12345678901234567890123456789012345678901234567890", "1.50",
            "1e2", #""""#, #""a string that is longer than what fits without an allocation""#,
        ])
    func idForms(id: String) throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: id), sink)
        #expect(harness.sent == [Sample.call(id: "2")])
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: id)])
    }

    @Test("every byte of a request but the id reaches the server as it came")
    func requestBytes() throws {
        let harness = try MultiplexerHarness.ready()
        let before = #"{ "x\u0041" : [1.0, 1e5,"é"],"method":"a/b" , "id" :"#
        let after = #", "params":{"b":1,"a":2,"_meta":{"unknown":{"c":null}}}, "jsonrpc":"2.0" }"#
        try harness.request(before + "\"mine\"" + after, RecordingSink())
        #expect(harness.sent == [before + "2" + after])
    }

    @Test("every byte of an answer but the id reaches the client as it came")
    func answerBytes() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "\"mine\""), sink)
        try harness.serve(#"{"result" : {"z":1.10,"a":"\u00e9"} ,"extra":[ ],"id":2, "jsonrpc":"2.0"}"#)
        #expect(sink.bodies == [#"{"result" : {"z":1.10,"a":"\u00e9"} ,"extra":[ ],"id":"mine", "jsonrpc":"2.0"}"#])
    }

    @Test("a message too large for one piece is passed on in pieces with the same bytes")
    func largeMessage() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        let text = String(repeating: "x", count: MessageBytes.copyLimit * 2)
        try harness.request(#"{"id":"a","method":"m","params":{"t":"\#(text)"}}"#, sink)
        #expect(harness.sent == [#"{"id":2,"method":"m","params":{"t":"\#(text)"}}"#])
        try harness.serve(#"{"result":{"t":"\#(text)"},"id":2}"#)
        #expect(sink.bodies == [#"{"result":{"t":"\#(text)"},"id":"a"}"#])
        #expect(sink.answers.first?.bytes.tail.isEmpty == false)
    }

    @Test("a client's line breaks between tokens do not reach a line-framed server")
    func lineBreaks() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request("{\n\"id\":1,\r\n\"method\":\"m\"\n}", RecordingSink())
        #expect(harness.sent == [#"{ "id":2,  "method":"m" }"#])
    }

    @Test("one id twice in one session: each call gets its own answer, out of order")
    func sameIDInOneSession() throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.request(Sample.call(id: "1"), 1, first)
        try harness.request(Sample.call(id: "1"), 1, second)
        #expect(harness.sent == [Sample.call(id: "2"), Sample.call(id: "3")])
        try harness.serve(Sample.answer(id: "3", #""second""#))
        try harness.serve(Sample.answer(id: "2", #""first""#))
        #expect(first.bodies == [Sample.answer(id: "1", #""first""#)])
        #expect(second.bodies == [Sample.answer(id: "1", #""second""#)])
    }

    @Test("one id in two sessions: each client gets its own answer, out of order")
    func sameIDInTwoSessions() throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.request(Sample.call(id: "\"x\""), 1, first)
        try harness.request(Sample.call(id: "\"x\""), 2, second)
        try harness.serve(Sample.answer(id: "3", "2"))
        try harness.serve(Sample.answer(id: "2", "1"))
        #expect(first.bodies == [Sample.answer(id: "\"x\"", "1")])
        #expect(second.bodies == [Sample.answer(id: "\"x\"", "2")])
    }

    @Test("a ticket is never used twice, not even in a later generation")
    func ticketsAreUnique() throws {
        let harness = try MultiplexerHarness.ready()
        let first = try harness.request(Sample.call(id: "1"), RecordingSink())
        harness.end()
        try harness.startGeneration()
        let second = try harness.request(Sample.call(id: "1"), RecordingSink())
        #expect(first == 2)
        #expect(second == 4)
    }

    @Test("the server's own error is passed on as it wrote it")
    func serverError() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"error":{"code":-1,"message":"no","data":{"x":[]}}}"#)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no","data":{"x":[]}}}"#])
    }

    @Test("an answer is delivered once; a second one with the same id goes nowhere and counts as unknown")
    func doubleAnswer() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(Sample.answer(id: "2", "1"))
        try harness.serve(Sample.answer(id: "2", "2"))
        #expect(sink.bodies == [Sample.answer(id: "1", "1")])
        #expect(harness.counters.unknownAnswers == 1)
        #expect(harness.counters.lateAnswers == 0)
    }

    @Test(
        "an answer to an id that is no ticket in flight goes nowhere",
        arguments: ["1", "3", "99", "\"2\"", "2.0", "null", "-2", "{}", "99999999999999999999"])
    func unknownAnswer(id: String) throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(Sample.answer(id: id))
        #expect(sink.answers.isEmpty)
        #expect(harness.counters.unknownAnswers == 1)
        #expect(harness.callsInFlight == 1)
    }

    @Test("a message with a method is never an answer, whatever its id and its result")
    func methodIsNeverAnAnswer() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage","result":{}}"#)
        #expect(sink.answers.isEmpty)
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: "1")])
    }

    @Test("a line that cannot be used fails the call whose ticket it carries, and no other")
    func unusableLine() throws {
        let harness = try MultiplexerHarness.ready()
        let (hit, other) = (RecordingSink(), RecordingSink())
        let ticket = try harness.request(Sample.call(id: "1"), hit)
        try harness.request(Sample.call(id: "2"), other)
        harness.serveUnusable(ticket: ticket, problem: "a line over the limit of 64 MiB")
        #expect(
            hit.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"server 'files' answered with a line over the limit of 64 MiB","#
                    + #""data":{"server":"files","reason":"unusable-answer","#
                    + #""hint":"the answer was dropped; this is a fault of the server"}}}"#
            ])
        #expect(other.answers.isEmpty)
    }

    @Test("a line that cannot be used does not fail a call that never reached the server")
    func unusableLineForHeldCall() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        let ticket = try harness.request(Sample.call(id: "1"), sink)
        harness.serveUnusable(ticket: ticket, problem: "nonsense")
        #expect(sink.answers.isEmpty)
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.sent.last == Sample.call(id: "2"))
    }

    @Test("a line that cannot be used does not turn away a client that waits for Lodge's handshake")
    func unusableLineForWaitingClient() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        let ticket = try harness.initialize(Sample.initialize, sink)
        harness.serveUnusable(ticket: ticket, problem: "nonsense")
        #expect(sink.answers.isEmpty)
    }

    @Test("a call that the server's input has no room for fails without having reached it")
    func notReading() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        harness.notForwarded(try harness.request(Sample.call(id: "1"), sink))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"server 'files' does not read its input","#
                    + #""data":{"server":"files","reason":"not-reading","#
                    + #""hint":"the call did not reach the server; restart the server","retryAfterMs":1000}}}"#
            ])
        #expect(harness.isQuiet)
    }

    @Test("a finished call is recorded with its method, its tool and the size of the answer")
    func recorded() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.call(id: "1", tool: "grep"), RecordingSink())
        harness.advance(by: .milliseconds(20))
        try harness.serve(Sample.answer(id: "2"))
        let record = try #require(harness.records.first)
        #expect(harness.records.count == 1)
        #expect(record.method == "tools/call")
        #expect(record.name == "grep")
        #expect(record.outcome == .answered)
        #expect(record.duration == .milliseconds(20))
        #expect(record.answerBytes == Sample.answer(id: "2").utf8.count)
    }
}
