// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("A server with one upstream for each session")
struct ClientServerTests {
    private let fixture: ServerFixture

    init() throws { fixture = try ServerFixture() }

    private struct Client {
        let session: String
        let upstream: Upstream
        let connection: FakeConnection
    }

    private func initialize(_ server: ClientServer, _ sink: RecordingSink) throws -> CallTicket? {
        server.receive(try .of(Sample.initialize, principal: .alice), sink: sink).ticket
    }

    /// A client with its own upstream and session.
    private func open(_ server: ClientServer) throws -> Client {
        let sink = RecordingSink()
        _ = try initialize(server, sink)
        let upstream = try fixture.lastStarted()
        let connection = FakeConnection()
        upstream.generationStarted(connection, timer: FakeTimer())
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        return Client(session: try #require(sink.openedSession), upstream: upstream, connection: connection)
    }

    @discardableResult
    private func call(_ server: ClientServer, _ client: Client, id: String) throws -> (Admission, RecordingSink) {
        let sink = RecordingSink()
        let message = try ClientMessage.of(Sample.call(id: id), session: client.session, principal: .alice)
        return (server.receive(message, sink: sink), sink)
    }

    @Test("a throw-away upstream proves the server at its start, and is stopped")
    func proof() throws {
        let server = fixture.clientServer()
        #expect(fixture.supervisor.starts.map(\.restarts) == [true])
        let proof = try fixture.lastStarted()
        #expect(!server.isReady)
        let connection = try proof.startGeneration()
        #expect(connection.sent == [Sample.ownInitialize(ticket: 1), Sample.initialized])
        #expect(server.isReady)
        #expect(server.gate.outcome == .ready)
        #expect(fixture.supervisor.hasStopped(proof))
        #expect(server.status().serverInfo?["name"]?.string == "fake")
    }

    @Test("a proof that fails opens the gate with the reason")
    func proofFails() throws {
        let server = fixture.clientServer()
        let proof = try fixture.lastStarted()
        proof.generationStarted(FakeConnection(), timer: FakeTimer())
        try proof.serve(#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#)
        #expect(server.gate.outcome == .failed(#"{"code":-1,"message":"no"}"#))
        #expect(!server.isReady)
    }

    @Test("each client's initialize reaches an upstream of its own")
    func ownUpstream() throws {
        let server = fixture.clientServer()
        let (first, second) = (try open(server), try open(server))
        #expect(first.upstream !== second.upstream)
        #expect(fixture.supervisor.starts.map(\.restarts) == [true, false, false])
        #expect(first.connection.sent == [Sample.initialize(id: "1")])
        #expect(server.status().sessions == 2)
    }

    @Test("a call reaches the upstream of its own session only")
    func ownCalls() throws {
        let server = fixture.clientServer()
        let (first, second) = (try open(server), try open(server))
        let (_, sink) = try call(server, second, id: "\"c\"")
        #expect(second.connection.sent.last == Sample.call(id: "2"))
        #expect(first.connection.sent.count == 1)
        try first.upstream.serve(Sample.answer(id: "2"))
        #expect(sink.answers.isEmpty)
        try second.upstream.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: "\"c\"")])
    }

    @Test("a request of the server reaches its client, and the response comes back")
    func serverRequest() throws {
        let server = fixture.clientServer()
        let client = try open(server)
        let stream = RecordingStream()
        #expect(server.openStream(stream, session: client.session, principal: .alice))
        try client.upstream.serve(#"{"jsonrpc":"2.0","id":"s","method":"roots/list"}"#)
        #expect(stream.messages == [#"{"jsonrpc":"2.0","id":2,"method":"roots/list"}"#])
        let response = try ClientMessage.of(Sample.empty(id: "2"), session: client.session, principal: .alice)
        _ = server.receive(response, sink: RecordingSink())
        #expect(client.connection.sent.last == Sample.empty(id: "\"s\""))
    }

    @Test("a crash fails the calls in flight and ends the session")
    func crash() throws {
        let server = fixture.clientServer()
        let (client, other) = (try open(server), try open(server))
        let stream = RecordingStream()
        #expect(server.openStream(stream, session: client.session, principal: .alice))
        let (_, sink) = try call(server, client, id: "1")
        client.upstream.generationEnded(Ending(.exited(code: 1), stderrTail: ["oops"]), retry: nil)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"server 'files' ended with exit status 1 before it answered","#
                    + #""data":{"server":"files","reason":"exited","#
                    + #""hint":"the call may have taken effect; check before calling again","exitCode":1,"#
                    + #""stderrTail":["oops"]}}}"#
            ])
        #expect(stream.isClosed)
        #expect(try call(server, client, id: "2").0.refusal == .unknownSession)
        #expect(try call(server, other, id: "3").0.ticket != nil)
        #expect(server.status().lastEnding == "ended with exit status 1")
    }

    @Test("ending a session stops its upstream")
    func endSession() throws {
        let server = fixture.clientServer()
        let client = try open(server)
        let (_, sink) = try call(server, client, id: "1")
        #expect(server.endSession(client.session, principal: .alice))
        #expect(fixture.supervisor.hasStopped(client.upstream))
        #expect(sink.answers.count == 1)
        #expect(server.status().sessions == 0)
    }

    @Test("a client that leaves during initialize takes its upstream with it")
    func abandoned() throws {
        let server = fixture.clientServer()
        let sink = RecordingSink()
        let ticket = try #require(try initialize(server, sink))
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        ticket.abandon()
        #expect(fixture.supervisor.hasStopped(upstream))
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        #expect(sink.answers.isEmpty)
        #expect(server.status().sessions == 0)
    }

    @Test("a client that leaves after its session was opened keeps its upstream")
    func abandonedTooLate() throws {
        let server = fixture.clientServer()
        let sink = RecordingSink()
        let ticket = try #require(try initialize(server, sink))
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        ticket.abandon()
        #expect(!fixture.supervisor.hasStopped(upstream))
    }

    @Test("a refused initialize stops its upstream and says nothing of how the server started")
    func refused() throws {
        let server = fixture.clientServer()
        let sink = RecordingSink()
        _ = try initialize(server, sink)
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        try upstream.serve(#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":0,"error":{"code":-1,"message":"no"}}"#])
        #expect(fixture.supervisor.hasStopped(upstream))
        #expect(server.gate.outcome == nil)
    }

    @Test("a server that ends during initialize refuses the client and opens nothing")
    func endsDuringInitialize() throws {
        let server = fixture.clientServer()
        let sink = RecordingSink()
        _ = try initialize(server, sink)
        try fixture.lastStarted().generationEnded(Ending(.notStarted("'nope' is not on the PATH")), retry: nil)
        #expect(sink.retryAfter == 30)
        #expect(server.status().upstreams == 1)
    }

    @Test("more upstreams than the cap are not started")
    func openingCap() throws {
        let server = fixture.clientServer { $0.clientUpstreams = 2 }
        for _ in 0..<2 { _ = try initialize(server, RecordingSink()) }
        let sink = RecordingSink()
        _ = try initialize(server, sink)
        #expect(fixture.supervisor.starts.count == 3)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":0,"error":{"code":-32000,"#
                    + #""message":"every session of server 'files' is in use; end one or wait"}}"#
            ])
        #expect(sink.retryAfter == 60)
    }

    @Test("a session beyond the cap puts out the one idle longest, with its upstream")
    func eviction() throws {
        let server = fixture.clientServer { $0.clientUpstreams = 2 }
        let first = try open(server)
        fixture.clock.advance(by: .seconds(60))
        let second = try open(server)
        _ = try open(server)
        #expect(fixture.supervisor.hasStopped(first.upstream))
        #expect(!fixture.supervisor.hasStopped(second.upstream))
        #expect(server.status().sessions == 2)
    }

    @Test("a session beyond the cap is refused while all are in use, and nothing is started for it")
    func full() throws {
        let server = fixture.clientServer { $0.clientUpstreams = 1 }
        let first = try open(server)
        let sink = RecordingSink()
        _ = try initialize(server, sink)
        #expect(sink.retryAfter == 60)
        #expect(try fixture.lastStarted() === first.upstream)
    }

    @Test("an upstream that nobody uses for ten minutes is stopped")
    func idle() throws {
        let server = fixture.clientServer()
        let client = try open(server)
        fixture.clock.advance(by: .seconds(599))
        server.sweep()
        #expect(!fixture.supervisor.hasStopped(client.upstream))
        fixture.clock.advance(by: .seconds(1))
        server.sweep()
        #expect(fixture.supervisor.hasStopped(client.upstream))
    }

    @Test("an upstream with a call in flight is in use")
    func busy() throws {
        let server = fixture.clientServer()
        let client = try open(server)
        try call(server, client, id: "1")
        for _ in 0..<20 {
            fixture.clock.advance(by: .seconds(60))
            server.sweep()
        }
        #expect(!fixture.supervisor.hasStopped(client.upstream))
    }

    @Test("a call times out even where the client came before its upstream ran")
    func timeouts() throws {
        let server = fixture.clientServer()
        let sink = RecordingSink()
        _ = try initialize(server, sink)
        let (upstream, timer) = (try fixture.lastStarted(), FakeTimer())
        upstream.generationStarted(FakeConnection(), timer: timer)
        let start = fixture.clock.now
        #expect(timer.armed == start.advanced(by: .seconds(30)))
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        let client = Client(
            session: try #require(sink.openedSession), upstream: upstream, connection: FakeConnection())
        let (_, called) = try call(server, client, id: "1")
        fixture.clock.advance(by: .seconds(30))
        upstream.deadlineReached()
        #expect(timer.armed == start.advanced(by: .seconds(300)))
        fixture.clock.advance(by: .seconds(270))
        upstream.deadlineReached()
        #expect(called.answers.count == 1)
    }

    @Test("stopping the server stops every upstream and answers every client")
    func stop() throws {
        let server = fixture.clientServer()
        let client = try open(server)
        let (_, called) = try call(server, client, id: "1")
        let waiting = RecordingSink()
        _ = try initialize(server, waiting)
        let opening = try fixture.lastStarted()
        opening.generationStarted(FakeConnection(), timer: FakeTimer())
        server.stop()
        for start in fixture.supervisor.starts { #expect(fixture.supervisor.hasStopped(start.upstream)) }
        #expect(called.answers.count == 1)
        // The server's answer may still be on its way when it is stopped.
        try opening.serve(Sample.initializeAnswer(id: "1"))
        #expect(waiting.openedSession == nil)
        #expect(waiting.retryAfter != nil)
        #expect(server.status().sessions == 0)
    }

    @Test("a session is not left behind by an upstream that ends while it is being opened")
    func endsWhileOpening() throws {
        let server = fixture.clientServer()
        _ = try initialize(server, RecordingSink())
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        fixture.whileOpening.update {
            $0 = { [weak upstream] in upstream?.generationEnded(Ending(.exited(code: 1)), retry: nil) }
        }
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        #expect(server.status().sessions == 0)
    }
}
