// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Cancellation")
struct CancellationTests {
    private let cancelledAnswer =
        #"{"jsonrpc":"2.0","id":"a","error":{"code":-32000,"message":"the call was cancelled by its client","#
        + #""data":{"server":"files","reason":"cancelled","hint":"call again if you want the answer after all"}}}"#

    @Test("a cancellation reaches the server under the ticket, and the exchange ends")
    func translated() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "\"a\""), sink)
        harness.takeSent()
        try harness.notify(Sample.cancelled("\"a\""))
        #expect(harness.sent == [Sample.cancelled("2")])
        #expect(sink.bodies == [cancelledAnswer])
        #expect(harness.isQuiet)
        #expect(harness.records.map(\.outcome) == [.cancelled])
    }

    @Test("an id is compared as it was written")
    func otherForm() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        try harness.notify(Sample.cancelled("\"1\""))
        #expect(harness.sent.isEmpty)
        #expect(sink.answers.isEmpty)
    }

    @Test("a cancellation of another session's call is dropped")
    func foreign() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), 1, sink)
        harness.takeSent()
        try harness.notify(Sample.cancelled("1"), 2)
        #expect(harness.sent.isEmpty)
        #expect(sink.answers.isEmpty)
        guard case .unknownCancel = try #require(harness.logged.last) else {
            Issue.record("the cancellation was not logged")
            return
        }
    }

    @Test("a cancellation of an unknown id, or without one, is dropped", arguments: [Sample.cancelled("5"), noID])
    func unknown(message: String) throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        try harness.notify(message)
        #expect(harness.sent.isEmpty)
        #expect(sink.answers.isEmpty)
    }

    static let noID = #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#

    @Test("a cancellation of an id used twice means both calls")
    func sameIDTwice() throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.request(Sample.call(id: "1"), first)
        try harness.request(Sample.call(id: "1"), second)
        harness.takeSent()
        try harness.notify(Sample.cancelled("1"))
        #expect(harness.sent == [Sample.cancelled("2"), Sample.cancelled("3")])
        #expect(first.answers.count == 1)
        #expect(second.answers.count == 1)
    }

    @Test("the answer to a cancelled call is late, and unknown when it comes again")
    func lateAnswer() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.notify(Sample.cancelled("1"))
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.answers.count == 1)
        #expect(harness.counters.lateAnswers == 1)
        try harness.serve(Sample.answer(id: "2"))
        #expect(harness.counters.lateAnswers == 1)
        #expect(harness.counters.unknownAnswers == 1)
    }

    @Test("a call cancelled while it is held never reaches the server")
    func held() throws {
        let harness = MultiplexerHarness()
        harness.start()
        harness.takeSent()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "\"a\""), sink)
        try harness.notify(Sample.cancelled("\"a\""))
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.sent == [Sample.initialized])
        #expect(sink.bodies == [cancelledAnswer])
    }

    @Test("initialize cannot be cancelled")
    func initializeStays() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "0"), sink)
        harness.takeSent()
        try harness.notify(Sample.cancelled("0"))
        #expect(harness.sent.isEmpty)
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(sink.bodies == [Sample.initializeAnswer(id: "0")])
    }

    @Test("a call whose client left is cancelled at the server, and nothing more is sent to the client")
    func withdrawn() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        let ticket = try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        harness.withdraw(ticket)
        #expect(harness.sent == [Sample.cancelled("2", reason: "the client left")])
        #expect(harness.isQuiet)
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.answers.isEmpty)
        #expect(harness.counters.lateAnswers == 1)
    }

    @Test("withdrawing an answered call does nothing")
    func withdrawnTooLate() throws {
        let harness = try MultiplexerHarness.ready()
        let ticket = try harness.request(Sample.call(id: "1"), RecordingSink())
        try harness.serve(Sample.answer(id: "2"))
        harness.takeSent()
        harness.withdraw(ticket)
        #expect(harness.sent.isEmpty)
    }

    @Test("a held call whose client left never reaches the server")
    func withdrawnWhileHeld() throws {
        let harness = MultiplexerHarness()
        harness.start()
        harness.withdraw(try harness.request(Sample.call(id: "1"), RecordingSink()))
        harness.takeSent()
        #expect(harness.isQuiet)
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.sent == [Sample.initialized])
    }
}
