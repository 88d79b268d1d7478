// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("A server with one upstream for all")
struct SharedServerTests {
    private let fixture: ServerFixture

    init() throws { fixture = try ServerFixture() }

    /// A server that is ready, and the way to its child.
    private func ready(
        _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) throws -> (SharedServer, Upstream, FakeConnection) {
        let server = fixture.sharedServer(adjust)
        let upstream = try fixture.lastStarted()
        return (server, upstream, try upstream.startGeneration())
    }

    private func open(_ server: SharedServer, principal: Principal = .alice) throws -> String {
        let sink = RecordingSink()
        _ = server.receive(try .of(Sample.initialize, principal: principal), sink: sink)
        return try #require(sink.openedSession)
    }

    @Test("its one upstream is started with restarts, and stopped with it")
    func lifecycle() throws {
        let server = fixture.sharedServer()
        #expect(fixture.supervisor.starts.map(\.restarts) == [true])
        server.stop()
        #expect(fixture.supervisor.hasStopped(try fixture.lastStarted()))
    }

    @Test("initialize opens a session of its own for each client, and the server sees one initialize")
    func opens() throws {
        let (server, _, connection) = try ready()
        let (first, second) = (try open(server), try open(server))
        #expect(first != second)
        #expect(first.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        #expect(connection.sent.filter { $0.contains(#""initialize""#) }.count == 1)
        #expect(server.status().sessions == 2)
    }

    @Test("a call within a session reaches the server and its answer the client")
    func call() throws {
        let (server, upstream, connection) = try ready()
        let (session, sink) = (try open(server), RecordingSink())
        #expect(
            server.receive(
                try .of(Sample.call(id: "\"c\""), session: session, principal: .alice), sink: sink
            ).ticket != nil)
        #expect(connection.sent.last == Sample.call(id: "2"))
        try upstream.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: "\"c\"")])
    }

    @Test("a request without a session is refused as invalid")
    func noSession() throws {
        let (server, _, connection) = try ready()
        let admission = server.receive(try .of(Sample.call(id: "7")), sink: RecordingSink())
        #expect(admission.refusal == .invalid)
        #expect(
            admission.error == #"{"jsonrpc":"2.0","id":7,"error":{"code":-32600,"#
                + #""message":"the request names no session; send initialize first and repeat its Mcp-Session-Id"}}"#)
        #expect(connection.sent.count == 2)
    }

    @Test("a request with an unknown session is refused with its own id")
    func unknownSession() throws {
        let (server, _, _) = try ready()
        let admission = server.receive(
            try .of(Sample.call(id: "\"x\""), session: "nope"), sink: RecordingSink())
        #expect(admission.refusal == .unknownSession)
        #expect(
            admission.error == #"{"jsonrpc":"2.0","id":"x","error":{"code":-32001,"#
                + #""message":"unknown session; send initialize to open a new one"}}"#)
    }

    @Test("to another principal a session does not exist")
    func otherPrincipal() throws {
        let (server, _, _) = try ready()
        let session = try open(server, principal: .alice)
        let call = try ClientMessage.of(Sample.call(id: "1"), session: session, principal: .bob)
        #expect(server.receive(call, sink: RecordingSink()).refusal == .unknownSession)
        #expect(server.protocolVersion(session: session, principal: .bob) == nil)
        #expect(!server.openStream(RecordingStream(), session: session, principal: .bob))
        #expect(!server.endSession(session, principal: .bob))
        #expect(server.protocolVersion(session: session, principal: .alice) == "2025-11-25")
    }

    @Test(
        "an initialize without a version is refused",
        arguments: [
            #"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#,
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}"#,
        ])
    func malformedInitialize(message: String) throws {
        let (server, _, _) = try ready()
        let admission = server.receive(try .of(message), sink: RecordingSink())
        #expect(admission.refusal == .invalid)
        #expect(
            admission.error == #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"#
                + #""message":"initialize needs params with a protocolVersion"}}"#)
    }

    @Test("what is no message is refused", arguments: ["[]", "{}", "5", #"{"id":1}"#])
    func noMessage(text: String) throws {
        let (server, _, _) = try ready()
        let session = try open(server)
        let message = try ClientMessage.of(text, session: session, principal: .alice)
        let admission = server.receive(message, sink: RecordingSink())
        #expect(admission.refusal == .invalid)
        #expect(
            admission.error == #"{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"#
                + #""message":"the message has neither a method nor a result nor an error"}}"#)
    }

    @Test("a client's response is taken and reaches no server, which asked nothing")
    func response() throws {
        let (server, _, connection) = try ready()
        let session = try open(server)
        #expect(
            server.receive(
                try .of(Sample.empty(id: "2"), session: session, principal: .alice), sink: RecordingSink()
            ).isAccepted)
        #expect(connection.sent.count == 2)
    }

    @Test("a notification is taken and reaches the server")
    func notification() throws {
        let (server, _, connection) = try ready()
        let session = try open(server)
        let message = #"{"jsonrpc":"2.0","method":"notifications/x"}"#
        #expect(
            server.receive(
                try .of(message, session: session, principal: .alice), sink: RecordingSink()
            ).isAccepted)
        #expect(connection.sent.last == message)
    }

    @Test("a session that its client ended is unknown, and ends once")
    func ended() throws {
        let (server, _, _) = try ready()
        let session = try open(server)
        let stream = RecordingStream()
        #expect(server.openStream(stream, session: session, principal: .alice))
        #expect(server.endSession(session, principal: .alice))
        #expect(stream.isClosed)
        #expect(!server.endSession(session, principal: .alice))
        #expect(!server.openStream(RecordingStream(), session: session, principal: .alice))
        #expect(server.status().sessions == 0)
    }

    @Test("an abandoned call is cancelled at the server and frees its entry")
    func abandoned() throws {
        let (server, _, connection) = try ready()
        let session = try open(server)
        let ticket = try #require(
            server.receive(
                try .of(Sample.call(id: "1"), session: session, principal: .alice), sink: RecordingSink()
            ).ticket)
        ticket.abandon()
        #expect(connection.sent.last == Sample.cancelled("2", reason: "the client left"))
        #expect(server.status().callsInFlight == 0)
        ticket.abandon()
        #expect(connection.sent.count == 4)
    }

    @Test("a session without use for half an hour ends with the next sweep")
    func idle() throws {
        let (server, _, _) = try ready()
        let session = try open(server)
        let stream = RecordingStream()
        #expect(server.openStream(stream, session: session, principal: .alice))
        fixture.clock.advance(by: .seconds(29 * 60))
        server.touch(session: session, principal: .alice)
        fixture.clock.advance(by: .seconds(29 * 60))
        server.sweep()
        #expect(server.protocolVersion(session: session, principal: .alice) != nil)
        fixture.clock.advance(by: .seconds(60))
        #expect(server.protocolVersion(session: session, principal: .alice) == nil)
        server.sweep()
        #expect(stream.isClosed)
        #expect(server.status().sessions == 0)
    }

    @Test("a session whose call is in flight is in use, and is not swept")
    func busyIsNotIdle() throws {
        let (server, upstream, _) = try ready()
        let (session, sink) = (try open(server), RecordingSink())
        _ = server.receive(try .of(Sample.call(id: "1"), session: session, principal: .alice), sink: sink)
        for _ in 0..<40 {
            fixture.clock.advance(by: .seconds(60))
            server.sweep()
        }
        try upstream.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: "1")])
        #expect(server.protocolVersion(session: session, principal: .alice) != nil)
    }

    @Test("beyond the cap the session idle longest makes room, once it was idle for a minute")
    func cap() throws {
        let (server, _, _) = try ready { $0.sessions.cap = 2 }
        let first = try open(server)
        fixture.clock.advance(by: .seconds(1))
        let second = try open(server)
        let full = RecordingSink()
        _ = server.receive(try .of(Sample.initialize(id: "9")), sink: full)
        #expect(
            full.bodies == [
                #"{"jsonrpc":"2.0","id":9,"error":{"code":-32000,"#
                    + #""message":"every session of server 'files' is in use; end one or wait"}}"#
            ])
        #expect(full.retryAfter == 60)
        fixture.clock.advance(by: .seconds(59))
        let third = try open(server)
        #expect(server.protocolVersion(session: first, principal: .alice) == nil)
        #expect(server.protocolVersion(session: second, principal: .alice) != nil)
        #expect(server.protocolVersion(session: third, principal: .alice) != nil)
    }

    @Test("a session goes on over a restart of its server")
    func restart() throws {
        let (server, upstream, old) = try ready()
        let (session, sink) = (try open(server), RecordingSink())
        upstream.generationEnded(Ending(.exited(code: 1)), retry: fixture.clock.now)
        _ = server.receive(try .of(Sample.call(id: "1"), session: session, principal: .alice), sink: sink)
        let new = try upstream.startGeneration()
        #expect(old.sent.count == 2)
        #expect(new.sent.last == Sample.call(id: "2"))
        #expect(server.status().restarts == 1)
    }

    @Test("a stream that comes as its session ends is not left open")
    func streamOfEndedSession() throws {
        let (server, _, _) = try ready()
        let session = try open(server)
        let older = EndingStream { _ = server.endSession(session, principal: .alice) }
        #expect(server.openStream(older, session: session, principal: .alice))
        // The older stream is closed once the newer one is attached; that is when the session ends here.
        let newer = RecordingStream()
        #expect(!server.openStream(newer, session: session, principal: .alice))
        #expect(newer.isClosed)
    }

    /// A stream during whose closing something else happens.
    private final class EndingStream: StreamSink {
        private let onClose: @Sendable () -> Void
        init(onClose: @escaping @Sendable () -> Void) { self.onClose = onClose }
        func deliver(_ message: MessageBytes) -> Bool { true }
        func close() { onClose() }
    }

    @Test("the gate opens with the handshake")
    func gateReady() throws {
        let (server, _, _) = try ready()
        #expect(server.gate.outcome == .ready)
        #expect(server.isReady)
    }

    @Test("the gate tells why the first start failed")
    func gateFailed() throws {
        let server = fixture.sharedServer()
        try fixture.lastStarted().generationEnded(
            Ending(.notStarted("'nope' is not on the PATH")), retry: fixture.clock.now)
        #expect(server.gate.outcome == .failed("could not be started: 'nope' is not on the PATH"))
        #expect(!server.isReady)
    }

    @Test("finished calls are recorded where somebody keeps them")
    func callLog() throws {
        let (server, upstream, _) = try ready()
        let session = try open(server)
        _ = server.receive(
            try .of(Sample.call(id: "1", tool: "grep"), session: session, principal: .alice), sink: RecordingSink())
        try upstream.serve(Sample.answer(id: "2"))
        let record = try #require(fixture.callLog.records.first)
        #expect(record.server == "files")
        #expect(record.principal == "alice")
        #expect(record.name == "grep")
    }
}
