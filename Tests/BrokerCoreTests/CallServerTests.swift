// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("A server with one upstream for each call")
struct CallServerTests {
    static let stride: Int64 = 1 << 20
    static let question = #"{"jsonrpc":"2.0","id":"q","method":"sampling/createMessage","params":{}}"#

    private let fixture: ServerFixture

    init() throws { fixture = try ServerFixture() }

    /// A server whose catalog is ready.
    private func ready(limit: Int = 32, capabilities: String = "{}") throws -> (SharedServer, FakeConnection) {
        let server = fixture.sharedServer(isolation: .call) { $0.clientUpstreams = limit }
        return (server, try fixture.lastStarted().startGeneration(capabilities: capabilities))
    }

    @discardableResult
    private func send(
        _ server: SharedServer, _ json: String, _ session: String, acceptsStream: Bool = true
    ) throws -> (admission: Admission, sink: RecordingSink) {
        let sink = RecordingSink(acceptsStream: acceptsStream)
        return (server.receive(try .of(json, session: session, principal: .alice), sink: sink), sink)
    }

    private func initialize(ticket: Int64, _ capabilities: String = "{}") -> String {
        Sample.ownInitialize(ticket: Int(ticket)).replacing(
            #""capabilities":{}"#, with: #""capabilities":\#(capabilities)"#)
    }

    @Test("lists go to the catalog, which alone is started with the server and again")
    func catalog() throws {
        let (server, connection) = try ready()
        let session = try fixture.open(server)
        try send(server, #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, session)
        #expect(connection.sent.last == #"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#)
        #expect(fixture.supervisor.starts.map(\.restarts) == [true])
    }

    @Test(
        "a call gets an upstream of its own, handshaken with what the caller can do, and ended after its answer",
        arguments: ["tools/call", "prompts/get", "resources/read"])
    func ownUpstream(method: String) throws {
        let (server, catalog) = try ready()
        let session = try fixture.open(server, capabilities: #"{"sampling": {}, "x":1.0}"#)
        let sink = try send(server, #"{"jsonrpc":"2.0","id":"c","method":"\#(method)","params":{}}"#, session).sink
        #expect(fixture.supervisor.starts.map(\.restarts) == [true, false])
        let upstream = try fixture.lastStarted()
        let connection = try upstream.startGeneration()
        let first = Self.stride + 1
        #expect(
            connection.sent == [
                initialize(ticket: first + 1, #"{"sampling": {}, "x":1.0}"#), Sample.initialized,
                #"{"jsonrpc":"2.0","id":\#(first),"method":"\#(method)","params":{}}"#,
            ])
        #expect(server.status().upstreams == 2)
        #expect(!fixture.supervisor.hasStopped(upstream))
        try upstream.serve(Sample.answer(id: "\(first)"))
        #expect(sink.bodies == [Sample.answer(id: "\"c\"")])
        #expect(fixture.supervisor.hasStopped(upstream))
        upstream.generationEnded(Ending(.stopped), retry: nil)
        #expect(sink.bodies.count == 1)
        #expect(server.status().upstreams == 1)
        #expect(server.status().requests == 1)
        #expect(server.status().outcomes[.answered] == 1)
        #expect(catalog.sent.count == 2)
    }

    @Test("a client that speaks without a session declares nothing")
    func stateless() throws {
        let server = fixture.sharedServer(isolation: .call) { $0.isStateless = true }
        _ = try fixture.lastStarted().startGeneration()
        let call = try ClientMessage.of(Sample.call(id: "1"))
        let lone = ClientMessage(
            bytes: call.bytes, envelope: call.envelope, session: nil, principal: .alice, isStateless: true)
        _ = server.receive(lone, sink: RecordingSink())
        let connection = try fixture.lastStarted().startGeneration()
        #expect(connection.sent.first == initialize(ticket: Self.stride + 2))
    }

    @Test("the level that the session set is set before the call, at a server that logs")
    func level() throws {
        let (server, _) = try ready(capabilities: #"{"logging":{}}"#)
        let (catalog, session) = (try fixture.lastStarted(), try fixture.open(server))
        try send(server, Sample.setLevel(id: "1", "error"), session)
        try catalog.serve(Sample.empty(id: "2"))
        try send(server, Sample.call(id: "2"), session)
        let connection = try fixture.lastStarted().startGeneration(capabilities: #"{"logging":{}}"#)
        let first = Self.stride + 1
        #expect(
            connection.sent.suffix(2) == [
                Sample.setLevel(id: "\(first + 2)", "error"), Sample.call(id: "\(first)"),
            ])
        try send(server, Sample.call(id: "3"), session)
        #expect(try fixture.lastStarted().startGeneration().sent.contains { $0.contains("setLevel") } == false)
    }

    @Test("what the server asks and logs goes to its call alone, and the answer back to it")
    func question() throws {
        let (server, _) = try ready()
        let (session, stranger) = (try fixture.open(server), try fixture.open(server))
        let one = try send(server, Sample.call(id: "1"), session).sink
        let upstream = try fixture.lastStarted()
        let connection = try upstream.startGeneration()
        let two = try send(server, Sample.call(id: "2"), session).sink
        let sibling = try fixture.lastStarted()
        let other = try sibling.startGeneration()
        let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#
        try upstream.serve(log)
        try upstream.serve(Self.question)
        try sibling.serve(Self.question)
        let ids = [Self.stride + 3, 2 * Self.stride + 3]
        #expect(one.messages == [log, Self.question.replacing("\"q\"", with: "\(ids[0])")])
        #expect(two.messages == [Self.question.replacing("\"q\"", with: "\(ids[1])")])
        try send(server, Sample.answer(id: "\(ids[0])", #"{"by":"a stranger"}"#), stranger)
        #expect(connection.sent.count == 3)
        try send(server, Sample.answer(id: "\(ids[1])", #"{"to":"two"}"#), session)
        try send(server, Sample.answer(id: "\(ids[0])", #"{"to":"one"}"#), session)
        #expect(connection.sent.last == Sample.answer(id: "\"q\"", #"{"to":"one"}"#))
        #expect(other.sent.last == Sample.answer(id: "\"q\"", #"{"to":"two"}"#))
        #expect([connection.sent.count, other.sent.count] == [4, 4])
    }

    @Test("a question that no stream can carry is refused at once")
    func noWay() throws {
        let (server, _) = try ready()
        try send(server, Sample.call(id: "1"), try fixture.open(server), acceptsStream: false)
        let upstream = try fixture.lastStarted()
        let connection = try upstream.startGeneration()
        try upstream.serve(Self.question)
        #expect(
            connection.sent.last == #"{"jsonrpc":"2.0","id":"q","error":{"code":-32000,"#
                + #""message":"the client has no way to be asked"}}"#)
    }

    @Test("changes that a call makes in its own server are told to nobody")
    func changes() throws {
        let (server, _) = try ready()
        let sink = try send(server, Sample.call(id: "1"), try fixture.open(server)).sink
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        try upstream.serve(#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
        try upstream.serve(#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1"}}"#)
        #expect(sink.messages.isEmpty)
    }

    enum End: CaseIterable { case cancelled, left, timedOut, sessionEnded, serverStopped }

    @Test("however a call ends, its upstream ends with it", arguments: End.allCases)
    func ends(_ end: End) throws {
        let (server, _) = try ready()
        let session = try fixture.open(server)
        let (admission, sink) = try send(server, Sample.call(id: "1"), session)
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        switch end {
        case .cancelled: try send(server, Sample.cancelled("1"), session)
        case .left: admission.ticket?.abandon()
        case .timedOut:
            fixture.clock.advance(by: .seconds(301))
            upstream.deadlineReached()
        case .sessionEnded: #expect(server.endSession(session, principal: .alice))
        case .serverStopped: server.stop()
        }
        #expect(fixture.supervisor.hasStopped(upstream))
        upstream.generationEnded(Ending(.stopped), retry: nil)
        #expect(sink.bodies.count == (end == .left ? 0 : 1))
        #expect(server.status().upstreams == 1)
        #expect(server.status().callsInFlight == 0)
    }

    @Test("an upstream that ends, or cannot be handshaken, fails its call with the reason, and only that")
    func fails() throws {
        let (server, _) = try ready()
        let session = try fixture.open(server)
        let sinks = try (1...3).map { id in
            let sink = try send(server, Sample.call(id: "\(id)"), session).sink
            return (sink, try fixture.lastStarted())
        }
        _ = try sinks[0].1.startGeneration()
        sinks[0].1.generationEnded(Ending(.exited(code: 3), stderrTail: ["mine"]), retry: nil)
        sinks[1].1.generationStarted(FakeConnection(), timer: FakeTimer())
        try sinks[1].1.serve(
            #"{"jsonrpc":"2.0","id":\#(2 * Self.stride + 2),"error":{"code":-1,"message":"no"}}"#)
        #expect(sinks.map(\.0.bodies.count) == [1, 1, 0])
        let ended = try #require(sinks[0].0.bodies.first)
        #expect(ended.contains("server 'files' ended with exit status 3 before it answered"))
        #expect(ended.contains(#""stderrTail":["mine"]"#))
        #expect(sinks[1].0.bodies.first?.contains("did not finish its handshake") == true)
        #expect(fixture.supervisor.hasStopped(sinks[1].1))
        #expect(!fixture.supervisor.hasStopped(sinks[2].1))
        #expect(server.isReady)
    }

    @Test("beyond the limit a call is refused, until a process is gone")
    func limit() throws {
        let (server, _) = try ready(limit: 2)
        let session = try fixture.open(server)
        for id in 1...2 { try send(server, Sample.call(id: "\(id)"), session) }
        let refused = try send(server, Sample.call(id: "3"), session).sink
        #expect(
            refused.bodies == [
                #"{"jsonrpc":"2.0","id":3,"error":{"code":-32000,"#
                    + #""message":"every process of server 'files' is in use; wait until a call ends","#
                    + #""data":{"server":"files","reason":"full","#
                    + #""hint":"the call did not reach the server; call again","retryAfterMs":1000}}}"#
            ])
        try send(server, Sample.cancelled("2"), session)
        #expect(try send(server, Sample.call(id: "4"), session).sink.bodies.count == 1)
        try fixture.lastStarted().generationEnded(Ending(.stopped), retry: nil)
        #expect(try send(server, Sample.call(id: "5"), session).sink.bodies.isEmpty)
    }

    @Test("a call that the policy or the isolation refuses starts nothing")
    func refused() throws {
        let (server, _) = try ready()
        let task = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"e","task":{}}}"#
        let session = try fixture.open(server)
        #expect(
            try send(server, task, session).sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"#
                    + #""message":"tasks are not relayed in call isolation; serve with --isolation client"}}"#
            ])
        #expect(fixture.supervisor.starts.count == 1)
        #expect(server.status().outcomes[.refused] == 1)
    }

    @Test("a call that is given up while it is being started leaves nothing")
    func raced() throws {
        let (server, _) = try ready()
        let session = try fixture.open(server)
        fixture.supervisor.onStart { [server] _ in _ = server.endSession(session, principal: .alice) }
        try send(server, Sample.call(id: "1"), session)
        #expect(fixture.supervisor.hasStopped(try fixture.lastStarted()))
    }

    @Test("more capabilities than a session may keep are refused")
    func oversize() throws {
        let (server, _) = try ready()
        let text = Sample.initialize.replacing(
            #""capabilities":{}"#, with: #""capabilities":{"x":"\#(String(repeating: "y", count: 64 * 1024))"}"#)
        let admission = server.receive(try .of(text), sink: RecordingSink())
        #expect(
            admission.error == #"{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"#
                + #""message":"initialize declares more than 64 KiB of capabilities; declare less"}}"#)
    }
}
