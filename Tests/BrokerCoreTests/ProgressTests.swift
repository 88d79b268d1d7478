// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Progress")
struct ProgressTests {
    private func call(id: String, token: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"t","#
            + #""_meta":{"progressToken":\#(token)}}}"#
    }

    private func progress(token: String, _ value: Int = 1) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/progress","#
            + #""params":{"progressToken":\#(token),"progress":\#(value)}}"#
    }

    @Test(
        "a token of any form becomes the ticket and comes back byte-identical",
        arguments: ["1", "\"abc\"", "1.50", #""\u00e9""#, "123456789012345678901234567890"])
    func tokenForms(token: String) throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(call(id: "9", token: token), sink)
        #expect(harness.sent == [call(id: "2", token: "2")])
        try harness.serve(progress(token: "2"))
        #expect(sink.messages == [progress(token: token)])
        #expect(sink.answers.isEmpty)
    }

    @Test("equal tokens of two clients are told apart")
    func equalTokens() throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.request(call(id: "1", token: "1"), 1, first)
        try harness.request(call(id: "1", token: "1"), 2, second)
        try harness.serve(progress(token: "3", 30))
        try harness.serve(progress(token: "2", 20))
        #expect(first.messages == [progress(token: "1", 20)])
        #expect(second.messages == [progress(token: "1", 30)])
    }

    @Test("the server cannot reach a call by the client's own token")
    func clientTokenMeansNothing() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(call(id: "1", token: "77"), sink)
        try harness.serve(progress(token: "77"))
        try harness.serve(progress(token: "\"2\""))
        #expect(sink.messages.isEmpty)
    }

    @Test("progress for a call that asked for none goes nowhere")
    func unasked() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(progress(token: "2"))
        #expect(sink.messages.isEmpty)
        guard case .unroutedNotification("notifications/progress") = try #require(harness.logged.last) else {
            Issue.record("the progress was not logged")
            return
        }
    }

    @Test("progress after the answer goes nowhere")
    func afterTheAnswer() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(call(id: "1", token: "1"), sink)
        try harness.serve(Sample.answer(id: "2"))
        try harness.serve(progress(token: "2"))
        #expect(sink.messages.isEmpty)
    }

    @Test("progress without a token goes nowhere")
    func withoutToken() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(call(id: "1", token: "1"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}"#)
        #expect(sink.messages.isEmpty)
    }

    @Test("a call held for the start gets no progress, whatever ticket the server guesses")
    func heldCall() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        try harness.request(call(id: "1", token: "1"), sink)
        try harness.serve(progress(token: "2"))
        #expect(sink.messages.isEmpty)
    }
}
