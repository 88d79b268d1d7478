// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("The handshake of a client's own server")
struct ClientHandshakeTests {
    @Test("the client's own initialize waits for the start and reaches the server, its bytes unchanged")
    func forwarded() throws {
        let harness = MultiplexerHarness.forOneClient()
        try harness.initialize(Sample.initialize(id: "\"i\""), RecordingSink())
        #expect(harness.sent.isEmpty)
        harness.start()
        #expect(harness.sent == [Sample.initialize(id: "1")])
    }

    @Test("the server's answer lets the client in as it stands, under the client's id")
    func answered() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "\"i\""), sink)
        try harness.serve(Sample.initializeAnswer(id: "1", version: "2025-03-26", capabilities: #"{"x":1.0}"#))
        #expect(
            sink.bodies == [Sample.initializeAnswer(id: "\"i\"", version: "2025-03-26", capabilities: #"{"x":1.0}"#)])
        #expect(harness.opened.map(\.version) == ["2025-03-26"])
        #expect(harness.handshakes == [nil])
        #expect(harness.isReady)
    }

    @Test("an error is passed on, opens no session and is not kept")
    func refused() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "4"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":4,"error":{"code":-1,"message":"no"}}"#])
        #expect(harness.opened.isEmpty)
        #expect(harness.handshakes == [#"{"code":-1,"message":"no"}"#])
    }

    @Test("an answer without a version is passed on and is a failed handshake with a reason")
    func withoutVersion() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "4"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","id":1,"result":{}}"#)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":4,"result":{}}"#])
        #expect(sink.openedSession == nil)
        #expect(harness.handshakes == ["the answer to initialize names no protocolVersion"])
    }

    @Test("initialized reaches the server once however often it is sent")
    func initializedOnce() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let spelled = #"{"method" : "notifications/initialized", "jsonrpc":"2.0"}"#
        try harness.notify(spelled)
        try harness.notify(Sample.initialized)
        #expect(harness.sent == [spelled])
    }

    @Test("a server that ends before it answered refuses the client with the reason")
    func endsBefore() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "4"), sink)
        harness.end(.signaled(number: 9, name: "SIGKILL"), tail: ["out of memory"], retryIn: nil)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":4,"error":{"code":-32000,"#
                    + #""message":"server 'files' was ended by signal 9 (SIGKILL); it is not started again","#
                    + #""data":{"server":"files","reason":"exited","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again","#
                    + #""signal":"SIGKILL","stderrTail":["out of memory"]}}}"#
            ])
    }

    @Test("an answer after the client gave up is late")
    func lateAnswer() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        harness.withdraw(try harness.initialize(Sample.initialize(id: "4"), RecordingSink()))
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.opened.isEmpty)
        #expect(harness.counters.lateAnswers == 1)
    }

    @Test("an initialize that the server's input has no room for is refused at once")
    func notReading() throws {
        let harness = MultiplexerHarness.forOneClient()
        harness.start()
        let sink = RecordingSink()
        harness.notForwarded(try harness.initialize(Sample.initialize(id: "4"), sink))
        #expect(sink.answers.count == 1)
        #expect(harness.isQuiet)
    }
}
