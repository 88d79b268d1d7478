// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Notifications of a server")
struct ServerNotificationTests {
    private let logMessage = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#

    @Test(
        "a change of a list reaches every session's stream and no call",
        arguments: ["tools", "prompts", "resources"])
    func listChanged(kind: String) throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second, sink) = (RecordingStream(), RecordingStream(), RecordingSink())
        harness.open(first, 1)
        harness.open(second, 2)
        try harness.request(Sample.call(id: "1"), 1, sink)
        let message = #"{"jsonrpc":"2.0","method":"notifications/\#(kind)/list_changed"}"#
        try harness.serve(message)
        #expect(first.messages == [message])
        #expect(second.messages == [message])
        #expect(sink.messages.isEmpty)
    }

    @Test("a shared server's log message goes to Lodge's log and to no client")
    func logMessageInShared() throws {
        let harness = try MultiplexerHarness.ready()
        let (stream, sink) = (RecordingStream(), RecordingSink())
        harness.open(stream)
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(logMessage)
        #expect(stream.messages.isEmpty)
        #expect(sink.messages.isEmpty)
        guard case .serverLogMessage(#"{"level":"info","data":"x"}"#) = try #require(harness.logged.last) else {
            Issue.record("the message was not logged")
            return
        }
    }

    @Test("what a shared server says to nobody in particular goes to no client")
    func unattributed() throws {
        let harness = try MultiplexerHarness.ready()
        let stream = RecordingStream()
        harness.open(stream)
        try harness.serve(#"{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{}}"#)
        #expect(stream.messages.isEmpty)
        guard case .unroutedNotification("notifications/elicitation/complete") = try #require(harness.logged.last)
        else {
            Issue.record("the notification was not logged")
            return
        }
    }

    @Test("a client's own server reaches it through the newest call, before its answer")
    func throughTheCall() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let (stream, sink) = (RecordingStream(), RecordingSink())
        harness.open(stream)
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(logMessage)
        #expect(sink.messages == [logMessage])
        #expect(stream.messages.isEmpty)
    }

    @Test("without a call it uses the stream, and without one it waits for it")
    func throughTheStream() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        try harness.serve(logMessage)
        let stream = RecordingStream()
        harness.open(stream)
        #expect(stream.messages == [logMessage])
        let changed = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
        try harness.serve(changed)
        #expect(stream.messages == [logMessage, changed])
    }

    @Test("an update in client isolation needs no subscription that Lodge knows of")
    func updateInClientIsolation() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let stream = RecordingStream()
        harness.open(stream)
        let message = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1"}}"#
        try harness.serve(message)
        #expect(stream.messages == [message])
    }

    @Test("a message that is neither request nor answer nor notification goes nowhere", arguments: ["[]", "{}", "1"])
    func noMessage(text: String) throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let stream = RecordingStream()
        harness.open(stream)
        try harness.serve(text)
        #expect(stream.messages.isEmpty)
        #expect(harness.sent.isEmpty)
    }
}
