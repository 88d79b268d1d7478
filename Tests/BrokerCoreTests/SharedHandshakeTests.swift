// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("The handshake of a shared server")
struct SharedHandshakeTests {
    @Test("a generation begins with Lodge's own initialize, then initialized")
    func ownHandshake() throws {
        let harness = MultiplexerHarness()
        harness.start()
        #expect(harness.sent == [Sample.ownInitialize(ticket: 1)])
        #expect(harness.isHandshaking)
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.sent == [Sample.ownInitialize(ticket: 1), Sample.initialized])
        #expect(harness.handshakes == [nil])
        #expect(harness.isReady)
    }

    @Test("a client is answered from the kept result under its own id, and the server hears nothing of it")
    func cached() throws {
        let harness = try MultiplexerHarness.ready()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.initialize(Sample.initialize(id: "1"), first)
        try harness.initialize(Sample.initialize(id: "\"two\""), second)
        #expect(first.bodies == [Sample.initializeAnswer(id: "1")])
        #expect(second.bodies == [Sample.initializeAnswer(id: "\"two\"")])
        #expect(harness.sent.isEmpty)
    }

    @Test("only the version differs from what the server answered")
    func onlyTheVersionDiffers() throws {
        let harness = MultiplexerHarness()
        harness.start()
        try harness.serve(
            #"{"jsonrpc":"2.0","id":1,"result":{"x":1.0, "protocolVersion" : "2025-11-25","#
                + #""capabilities":{"\u0061":{}}}}"#
        )
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "1", version: "2025-03-26"), sink)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"result":{"x":1.0, "protocolVersion" : "2025-03-26","#
                    + #""capabilities":{"\u0061":{}}}}"#
            ])
        #expect(harness.opened.map(\.version) == ["2025-03-26"])
    }

    @Test("the result stands on one line for clients even where the server broke it")
    func lineBreaksInTheResult() throws {
        let harness = MultiplexerHarness()
        harness.start()
        try harness.serve("{\"id\":1,\"result\":{\r\"protocolVersion\":\"2025-11-25\"}}")
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "1"), sink)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"result":{ "protocolVersion":"2025-11-25"}}"#])
    }

    @Test("clients that come while the server starts wait, and the server is asked once")
    func concurrentFirst() throws {
        let harness = MultiplexerHarness()
        let (early, late) = (RecordingSink(), RecordingSink())
        try harness.initialize(Sample.initialize(id: "1"), early)
        harness.start()
        try harness.initialize(Sample.initialize(id: "2"), late)
        #expect(early.answers.isEmpty)
        #expect(late.answers.isEmpty)
        let own = harness.sent
        #expect(own.count == 1)
        try harness.serve(Sample.initializeAnswer(id: "2"))
        #expect(early.bodies == [Sample.initializeAnswer(id: "1")])
        #expect(late.bodies == [Sample.initializeAnswer(id: "2")])
        #expect(harness.isQuiet)
    }

    @Test("a refused handshake is passed on to every client that waits, as the server wrote it")
    func failureIsPassedOn() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.initialize(Sample.initialize(id: "8"), first)
        try harness.initialize(Sample.initialize(id: "\"9\""), second)
        try harness.serve(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no key"}}"#)
        #expect(first.bodies == [#"{"jsonrpc":"2.0","id":8,"error":{"code":-32603,"message":"no key"}}"#])
        #expect(second.bodies == [#"{"jsonrpc":"2.0","id":"9","error":{"code":-32603,"message":"no key"}}"#])
        #expect(first.openedSession == nil)
        #expect(harness.handshakes == [#"{"code":-32603,"message":"no key"}"#])
        #expect(!harness.isReady)
        #expect(!harness.isHandshaking)
    }

    @Test("a refused handshake is not kept: the next client is a new attempt")
    func failureIsRetried() throws {
        let harness = MultiplexerHarness()
        harness.start()
        try harness.serve(#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no key"}}"#)
        harness.takeSent()
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.initialize(Sample.initialize(id: "1"), first)
        try harness.initialize(Sample.initialize(id: "1"), second)
        #expect(harness.sent == [Sample.ownInitialize(ticket: 3)])
        try harness.serve(Sample.initializeAnswer(id: "3"))
        #expect(first.bodies == [Sample.initializeAnswer(id: "1")])
        #expect(second.bodies == [Sample.initializeAnswer(id: "1")])
    }

    @Test("a refused handshake fails the calls that waited for it, at once")
    func failureEndsHeldCalls() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        harness.start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"no key"}}"#)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"server 'files' did not finish its handshake: "#
                    + #"{\"code\":-32603,\"message\":\"no key\"}","#
                    + #""data":{"server":"files","reason":"handshake-failed","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again"}}}"#
            ])
        #expect(harness.isQuiet)
    }

    @Test("a call after a refused handshake is a new attempt")
    func callRetries() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        harness.start()
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"no key"}}"#)
        harness.takeSent()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        #expect(harness.sent == [Sample.ownInitialize(ticket: 4)])
        try harness.serve(Sample.initializeAnswer(id: "4"))
        #expect(harness.takeSent().dropFirst() == [Sample.initialized, Sample.call(id: "3")])
    }

    @Test(
        "an answer to initialize without a usable version is a failed handshake",
        arguments: [#"{"id":1,"result":{}}"#, #"{"id":1,"result":{"protocolVersion":5}}"#, #"{"id":1,"result":[]}"#])
    func unusableAnswer(answer: String) throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "1"), sink)
        try harness.serve(answer)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"server 'files' did not finish its handshake: "#
                    + #"the answer to initialize names no protocolVersion","#
                    + #""data":{"server":"files","reason":"handshake-failed","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again"}}}"#
            ])
        #expect(!harness.isReady)
    }

    @Test("a line that cannot be used in place of the answer to initialize is a failed handshake")
    func unusableLine() throws {
        let harness = MultiplexerHarness()
        harness.start()
        harness.serveUnusable(ticket: 1, problem: "a message that cannot be read")
        #expect(harness.handshakes == ["the server answered with a message that cannot be read"])
    }

    @Test("while the server is down, initialize is refused at once with the reason and the time to wait")
    func downAnswersAtOnce() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end(.exited(code: 3), retryIn: .milliseconds(3200))
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "5"), sink)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"#
                    + #""message":"server 'files' ended with exit status 3; it is being started again","#
                    + #""data":{"server":"files","reason":"exited","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again","#
                    + #""exitCode":3,"retryAfterMs":3200}}}"#
            ])
        #expect(sink.retryAfter == 4)
        #expect(harness.isQuiet)
    }

    @Test("a server that cannot be started refuses the clients that wait for it")
    func notStarted() throws {
        let harness = MultiplexerHarness()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "5"), sink)
        harness.end(.notStarted("'nope' is not on the PATH; install it"), retryIn: nil)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"server 'files' could not be started: "#
                    + #"'nope' is not on the PATH; install it; it is not started again","#
                    + #""data":{"server":"files","reason":"not-started","#
                    + #""hint":"the call did not reach the server; look at the server's log, then call again"}}}"#
            ])
        #expect(sink.retryAfter == 30)
    }

    @Test("a client waits for a starting server no longer than the limit")
    func startTimeout() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "5"), sink)
        harness.advance(by: .seconds(29))
        #expect(sink.answers.isEmpty)
        harness.advance(by: .seconds(1))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"#
                    + #""message":"server 'files' was still starting after 30 s","#
                    + #""data":{"server":"files","reason":"starting","#
                    + #""hint":"the call did not reach the server; call again","retryAfterMs":1000}}}"#
            ])
        #expect(sink.retryAfter == 1)
        #expect(harness.isQuiet)
    }

    @Test("the kept result dies with its generation, and a late one of that generation does not come back")
    func cacheDiesWithGeneration() throws {
        let harness = try MultiplexerHarness.ready()
        harness.end()
        harness.start()
        let sink = RecordingSink()
        try harness.initialize(Sample.initialize(id: "1"), sink)
        try harness.serve(Sample.initializeAnswer(id: "1", capabilities: #"{"stale":{}}"#))
        #expect(sink.answers.isEmpty)
        try harness.serve(Sample.initializeAnswer(id: "2", capabilities: #"{"fresh":{}}"#))
        #expect(sink.bodies == [Sample.initializeAnswer(id: "1", capabilities: #"{"fresh":{}}"#)])
    }

    @Test("a client that left while it waited is not let in")
    func leftWhileWaiting() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        harness.withdraw(try harness.initialize(Sample.initialize(id: "1"), sink))
        try harness.serve(Sample.initializeAnswer(id: "1"))
        #expect(harness.opened.isEmpty)
        #expect(sink.answers.isEmpty)
    }

    @Test("clients' initialized notifications do not reach a shared server")
    func initializedOfClients() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.notify(Sample.initialized, 1)
        try harness.notify(Sample.initialized, 2)
        #expect(harness.sent.isEmpty)
    }
}
