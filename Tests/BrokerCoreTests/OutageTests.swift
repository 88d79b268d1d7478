// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Outages of a server")
struct OutageTests {
    private func ended(id: String, _ text: String, _ more: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-32000,"message":"server 'files' \#(text) before it answered","#
            + #""data":{"server":"files","#
            + #"\#(more)}}}"#
    }

    private let mayHaveTakenEffect = #""hint":"the call may have taken effect; check before calling again""#

    @Test("every call in flight fails once with the reason when the server ends")
    func callsInFlight() throws {
        let harness = try MultiplexerHarness.ready()
        let sinks = (1...100).map { _ in RecordingSink() }
        for (index, sink) in sinks.enumerated() {
            try harness.request(Sample.call(id: "\(index)"), UInt64(index), sink)
        }
        harness.end(.exited(code: 7))
        for (index, sink) in sinks.enumerated() {
            let more = #""reason":"exited",\#(mayHaveTakenEffect),"exitCode":7"#
            #expect(sink.bodies == [ended(id: "\(index)", "ended with exit status 7", more)])
        }
        #expect(harness.isQuiet)
        #expect(harness.records.count == 100)
    }

    @Test(
        "the reason tells how the server ended",
        arguments: [
            (
                Ending.Cause.signaled(number: 11, name: "SIGSEGV"), "was ended by signal 11 (SIGSEGV)", "exited",
                #","signal":"SIGSEGV""#
            ),
            (.unknown, "ended with a status that nobody knows", "exited", ""),
            (.closedOutput, "closed its output", "closed-output", ""),
            (.stopped, "was stopped", "stopped", ""),
            (
                .handshake("no answer to initialize within 30 s"),
                "did not finish its handshake: no answer to initialize within 30 s", "handshake-failed", ""
            ),
        ])
    func causes(cause: Ending.Cause, text: String, reason: String, more: String) throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.end(cause)
        #expect(sink.bodies == [ended(id: "1", text, #""reason":"\#(reason)",\#(mayHaveTakenEffect)\#(more)"#)])
    }

    @Test("the tail of stderr is shown where one principal alone uses the server, and nowhere else")
    func stderrTail() throws {
        let (sole, many) = (RecordingSink(), RecordingSink())
        for (sink, isSole) in [(sole, true), (many, false)] {
            let harness = try MultiplexerHarness.ready { $0.solePrincipal = isSole }
            try harness.request(Sample.call(id: "1"), sink)
            harness.end(.exited(code: 1), tail: ["one", "two \"quoted\""])
        }
        let more = #""reason":"exited",\#(mayHaveTakenEffect),"exitCode":1"#
        #expect(many.bodies == [ended(id: "1", "ended with exit status 1", more)])
        let withTail = more + #","stderrTail":["one","two \"quoted\""]"#
        #expect(sole.bodies == [ended(id: "1", "ended with exit status 1", withTail)])
    }

    @Test("a call that comes while the server is down waits and reaches the next generation once")
    func waits() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.start()
        #expect(harness.takeSent() == [Sample.ownInitialize(ticket: 3)])
        try harness.serve(Sample.initializeAnswer(id: "3"))
        #expect(harness.sent == [Sample.initialized, Sample.call(id: "2")])
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: "1")])
    }

    @Test("it waits for one attempt only")
    func oneAttempt() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.end(.notStarted("'nope' is not on the PATH"), retryIn: .seconds(2))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"server 'files' could not be started: "#
                    + #"'nope' is not on the PATH; it is being started again","#
                    + #""data":{"server":"files","reason":"not-started","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again","#
                    + #""retryAfterMs":2000}}}"#
            ])
        #expect(harness.isQuiet)
        try harness.startGeneration()
        #expect(harness.sent.isEmpty)
    }

    @Test("a call that came during an attempt fails with that attempt")
    func duringAttempt() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        harness.start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.end(.exited(code: 2), retryIn: .seconds(2))
        #expect(sink.answers.count == 1)
        #expect(harness.isQuiet)
    }

    @Test("a call to a server that is not started again fails at once")
    func noRetry() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end(.stopped, retryIn: nil)
        let sink = RecordingSink()
        let ticket = try harness.request(Sample.call(id: "1"), sink)
        #expect(ticket == nil)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"server 'files' was stopped; it is not started again","#
                    + #""data":{"server":"files","reason":"stopped","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again"}}}"#
            ])
    }

    @Test("a held call fails when the server is given up while it waits")
    func givenUpWhileHeld() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.end(.stopped, retryIn: nil)
        #expect(sink.answers.count == 1)
        #expect(harness.isQuiet)
    }

    @Test("a call that failed with its generation is never sent to the next one")
    func neverReplayed() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.call(id: "1"), RecordingSink())
        harness.end()
        try harness.startGeneration()
        #expect(harness.sent.isEmpty)
    }

    @Test("an answer of a generation that ended reaches nobody")
    func staleAnswer() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.end()
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.answers.count == 1)
        try harness.startGeneration()
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.answers.count == 1)
        #expect(harness.counters.unknownAnswers == 2)
    }

    @Test("a new generation is told of subscriptions and of the most verbose level, then gets the held calls")
    func restored() throws {
        let harness = try MultiplexerHarness.ready()
        for (session, uri) in [(UInt64(1), "b:1"), (2, "a:1")] {
            try harness.request(Sample.subscribe(id: "1", uri: uri), session, RecordingSink())
            try harness.serve(Sample.empty(id: harness.lastTicket))
        }
        try harness.request(Sample.setLevel(id: "1", "warning"), 1, RecordingSink())
        try harness.serve(Sample.empty(id: harness.lastTicket))
        try harness.request(Sample.setLevel(id: "1", "error"), 2, RecordingSink())
        harness.end()
        try harness.request(Sample.call(id: "1"), RecordingSink())
        harness.start()
        harness.takeSent()
        try harness.serve(Sample.initializeAnswer(id: "6"))
        #expect(
            harness.sent == [
                Sample.initialized, Sample.subscribe(id: "7", uri: "a:1"), Sample.subscribe(id: "8", uri: "b:1"),
                Sample.setLevel(id: "9", "warning"), Sample.call(id: "5"),
            ])
    }

    @Test("what the server answers to being told again is of no interest")
    func upkeepAnswers() throws {
        let harness = try MultiplexerHarness.ready()
        for uri in ["a:1", "b:1"] {
            try harness.request(Sample.subscribe(id: "1", uri: uri), RecordingSink())
            try harness.serve(Sample.empty(id: harness.lastTicket))
        }
        harness.end()
        try harness.startGeneration()
        try harness.serve(#"{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"no"}}"#)
        try harness.serve(Sample.empty(id: "6"))
        #expect(harness.isReady)
        #expect(harness.handshakes == [nil, nil])
        #expect(harness.counters.unknownAnswers == 0)
    }

    @Test("sessions are told to look at the lists again that the new generation says may change")
    func listsChanged() throws {
        let harness = try MultiplexerHarness.ready()
        let streams = [RecordingStream(), RecordingStream()]
        for (index, stream) in streams.enumerated() { harness.open(stream, UInt64(index)) }
        harness.end()
        try harness.startGeneration(
            capabilities:
                #"{"tools":{"listChanged":true},"prompts":{"listChanged":false},"resources":{"listChanged":true}}"#)
        let expected = ["tools", "resources"].map { #"{"jsonrpc":"2.0","method":"notifications/\#($0)/list_changed"}"# }
        #expect(streams.map(\.messages) == [expected, expected])
    }

    @Test("the first generation tells nobody of changes")
    func firstGeneration() throws {
        let harness = MultiplexerHarness()
        let stream = RecordingStream()
        harness.open(stream)
        try harness.startGeneration(capabilities: #"{"tools":{"listChanged":true}}"#)
        #expect(stream.messages.isEmpty)
    }
}
