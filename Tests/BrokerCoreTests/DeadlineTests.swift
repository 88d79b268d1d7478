// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Deadlines of calls")
struct DeadlineTests {
    private let withToken =
        #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{"progressToken":1}}}"#
    private let progress = #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2}}"#

    private func timedOut(_ rule: String) -> String {
        #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"server 'files' did not answer within \#(rule)","#
            + #""data":{"server":"files","reason":"timed-out","#
            + #""hint":"the server was told to cancel the call; --call-timeout sets the limit"}}}"#
    }

    @Test("a call without an answer fails after the limit, and the server is told")
    func idle() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        harness.advance(by: .milliseconds(299_999))
        #expect(sink.answers.isEmpty)
        harness.advance(by: .milliseconds(1))
        #expect(sink.bodies == [timedOut("300 s without progress")])
        #expect(harness.sent == [Sample.cancelled("2", reason: "the call timed out")])
        #expect(harness.records.map(\.outcome) == [.timedOut])
        #expect(harness.isQuiet)
    }

    @Test("progress begins the limit anew")
    func extended() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(withToken, sink)
        harness.advance(by: .seconds(200))
        try harness.serve(progress)
        harness.advance(by: .seconds(299))
        #expect(sink.answers.isEmpty)
        harness.advance(by: .seconds(1))
        #expect(sink.bodies == [timedOut("300 s without progress")])
    }

    @Test("progress of one call does not extend another")
    func notExtended() throws {
        let harness = try MultiplexerHarness.ready()
        let other = RecordingSink()
        try harness.request(withToken, RecordingSink())
        try harness.request(Sample.call(id: "1"), other)
        harness.advance(by: .seconds(200))
        try harness.serve(progress)
        harness.advance(by: .seconds(100))
        #expect(other.answers.count == 1)
        #expect(harness.callsInFlight == 1)
    }

    @Test("a call fails after the absolute limit whatever its progress")
    func absolute() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(withToken, sink)
        for _ in 0..<17 {
            harness.advance(by: .seconds(200))
            try harness.serve(progress)
        }
        #expect(sink.answers.isEmpty)
        harness.advance(by: .seconds(200))
        #expect(sink.bodies == [timedOut("3600 s in all")])
    }

    @Test("limits below a second are told as such")
    func shortLimit() throws {
        let harness = try MultiplexerHarness.ready { $0.callTimeout = .milliseconds(250) }
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.advance(by: .milliseconds(250))
        #expect(sink.bodies == [timedOut("0.25 s without progress")])
    }

    @Test("an answer after the limit is late, and after that unknown")
    func lateAnswer() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.advance(by: .seconds(300))
        try harness.serve(Sample.answer(id: "2"))
        try harness.serve(Sample.answer(id: "2"))
        #expect(sink.answers.count == 1)
        #expect(harness.counters.lateAnswers == 1)
        #expect(harness.counters.unknownAnswers == 1)
        guard case .lateAnswer(2) = try #require(harness.logged.first) else {
            Issue.record("the late answer was not logged as one")
            return
        }
    }

    @Test("calls that came later fail later")
    func staggered() throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.request(Sample.call(id: "1"), first)
        harness.advance(by: .seconds(100))
        try harness.request(Sample.call(id: "1"), second)
        harness.advance(by: .seconds(200))
        #expect(first.answers.count == 1)
        #expect(second.answers.isEmpty)
        harness.advance(by: .seconds(100))
        #expect(second.answers.count == 1)
    }

    @Test("the timer is not armed any more when nothing waits")
    func disarmed() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.call(id: "1"), RecordingSink())
        try harness.serve(Sample.answer(id: "2"))
        harness.advance(by: .seconds(300))
        #expect(harness.armed == nil)
    }

    @Test("a call held for the start fails within its own limit, and never reaches the server")
    func held() throws {
        let harness = MultiplexerHarness { $0.callTimeout = .seconds(5) }
        harness.start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        harness.advance(by: .seconds(5))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"server 'files' was still starting after 5 s","#
                    + #""data":{"server":"files","reason":"starting","#
                    + #""hint":"the call did not reach the server; call again","retryAfterMs":1000}}}"#
            ])
        #expect(harness.sent.isEmpty)
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.sent == [Sample.initialized])
    }

    @Test("a new generation's timer is armed for what was waiting before it")
    func rearmed() throws {
        let harness = MultiplexerHarness.forOneClient()
        try harness.initialize(Sample.initialize, RecordingSink())
        let deadline = try #require(harness.armed)
        harness.forgetTimer()
        harness.start()
        #expect(harness.armed == deadline)
    }
}
