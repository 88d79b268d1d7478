// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import Testing

@testable import BrokerCore

@Suite("A server with several equal upstreams")
struct PoolServerTests {
    private let fixture: ServerFixture

    init() throws { fixture = try ServerFixture() }

    private struct Replica {
        let upstream: Upstream
        let connection: FakeConnection
    }

    /// A server whose three replicas are ready, the catalog first.
    private func ready() throws -> (SharedServer, [Replica]) {
        let server = fixture.sharedServer(isolation: .pool) { $0.replicas = 3 }
        let replicas = try fixture.supervisor.starts.map { start in
            Replica(upstream: start.upstream, connection: try start.upstream.startGeneration())
        }
        return (server, replicas)
    }

    private func send(
        _ server: SharedServer, _ json: String, _ session: String
    ) throws -> (admission: Admission, sink: RecordingSink) {
        let sink = RecordingSink()
        return (server.receive(try .of(json, session: session, principal: .alice), sink: sink), sink)
    }

    private func calls(_ replicas: [Replica]) -> [Int] { replicas.map { $0.upstream.inspect { $0.callsInFlight } } }

    @Test("every replica is started with restarts, handshaken alike, and stopped with the server")
    func lifecycle() throws {
        let (server, replicas) = try ready()
        #expect(fixture.supervisor.starts.map(\.restarts) == [true, true, true])
        #expect(
            replicas.map(\.connection.sent)
                == Array(
                    repeating: [Sample.ownInitialize(ticket: 1), Sample.initialized], count: 3))
        server.stop()
        #expect(replicas.allSatisfy { fixture.supervisor.hasStopped($0.upstream) })
    }

    @Test("the server is ready with its catalog, and its state counts what runs")
    func readiness() throws {
        let server = fixture.sharedServer(isolation: .pool)
        let starts = fixture.supervisor.starts.map(\.upstream)
        #expect(starts.count == 2)
        _ = try starts[1].startGeneration()
        #expect(!server.isReady)
        #expect(server.gate.outcome == nil)
        #expect(server.status().upstreams == 1)
        _ = try starts[0].startGeneration()
        #expect(server.isReady)
        #expect(server.gate.outcome == .ready)
        #expect(server.status().isolation == "pool")
        #expect(server.status().upstreams == 2)
    }

    @Test("calls spread over the replicas, and the state sums them")
    func spread() throws {
        let (server, replicas) = try ready()
        let session = try fixture.open(server)
        for id in 1...3 { _ = try send(server, Sample.call(id: "\(id)"), session) }
        #expect(calls(replicas) == [1, 1, 1])
        try replicas[1].upstream.serve(Sample.answer(id: "2"))
        for method in ["prompts/get", "resources/read"] {
            _ = try send(server, #"{"jsonrpc":"2.0","id":9,"method":"\#(method)","params":{}}"#, session)
        }
        #expect(calls(replicas) == [2, 1, 1])
        let status = server.status()
        #expect(status.callsInFlight == 4)
        #expect(status.requests == 5)
        #expect(status.outcomes[.answered] == 1)
    }

    @Test(
        "what is no call goes to the catalog, however busy it is",
        arguments: [
            "tools/list", "prompts/list", "resources/list", "completion/complete", "resources/subscribe",
            "logging/setLevel",
        ])
    func catalog(method: String) throws {
        let (server, replicas) = try ready()
        let session = try fixture.open(server)
        _ = try send(server, Sample.call(id: "1"), session)
        let params = #"{"uri":"a:1","level":"debug"}"#
        _ = try send(server, #"{"jsonrpc":"2.0","id":2,"method":"\#(method)","params":\#(params)}"#, session)
        #expect(calls(replicas) == [2, 0, 0])
    }

    @Test("a replica that ends fails its own calls only, and gets none until it is back")
    func end() throws {
        let (server, replicas) = try ready()
        let session = try fixture.open(server)
        let sinks = try (1...3).map { try send(server, Sample.call(id: "\($0)"), session).sink }
        replicas[1].upstream.generationEnded(
            Ending(.exited(code: 3)), retry: fixture.clock.now.advanced(by: .seconds(1)))
        #expect(sinks.map(\.bodies.count) == [0, 1, 0])
        #expect(sinks[1].bodies.first?.contains("server 'files' ended with exit status 3 before it answered") == true)
        #expect(server.isReady)
        #expect(server.status().upstreams == 2)
        for id in 4...5 { _ = try send(server, Sample.call(id: "\(id)"), session) }
        #expect(calls(replicas) == [2, 0, 2])
        _ = try replicas[1].upstream.startGeneration()
        _ = try send(server, Sample.call(id: "6"), session)
        #expect(calls(replicas) == [2, 1, 2])
        #expect(server.status().restarts == 1)
    }

    @Test("where none is ready a call waits at the catalog")
    func waits() throws {
        let server = fixture.sharedServer(isolation: .pool)
        let starts = fixture.supervisor.starts.map(\.upstream)
        _ = try starts[0].startGeneration()
        let session = try fixture.open(server)
        starts[0].generationEnded(Ending(.exited(code: 1)), retry: fixture.clock.now.advanced(by: .seconds(1)))
        _ = try send(server, Sample.call(id: "1"), session)
        #expect(starts.map { $0.inspect { $0.callsInFlight } } == [1, 0])
    }

    @Test("progress, cancellation and the client's leaving find the replica that has the call")
    func follows() throws {
        let (server, replicas) = try ready()
        let session = try fixture.open(server)
        _ = try send(server, Sample.call(id: "1"), session)
        let call =
            #"{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"e","_meta":{"progressToken":"t"}}}"#
        let sink = try send(server, call, session).sink
        func progress(_ token: String) -> String {
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":\#(token),"progress":1}}"#
        }
        try replicas[1].upstream.serve(progress("2"))
        #expect(sink.messages == [progress("\"t\"")])
        let other = try fixture.open(server)
        _ = try send(server, Sample.cancelled("\"c\""), other)
        #expect(sink.bodies.isEmpty)
        _ = try send(server, Sample.cancelled("\"c\""), session)
        #expect(sink.bodies.first?.contains("the call was cancelled by its client") == true)
        #expect(replicas[1].connection.sent.last == Sample.cancelled("2"))
        let (admission, left) = try send(server, Sample.call(id: "5"), session)
        admission.ticket?.abandon()
        #expect(left.bodies.isEmpty)
        #expect(replicas[1].connection.sent.last?.contains("the client left") == true)
        #expect(calls(replicas) == [1, 0, 0])
    }

    @Test("the end of a session ends its calls at every replica")
    func sessionEnd() throws {
        let (server, replicas) = try ready()
        let session = try fixture.open(server)
        let sinks = try (1...3).map { try send(server, Sample.call(id: "\($0)"), session).sink }
        #expect(server.endSession(session, principal: .alice))
        #expect(sinks.allSatisfy { $0.bodies.count == 1 })
        #expect(calls(replicas) == [0, 0, 0])
    }

    @Test("a session with a call at any replica is not idle")
    func busy() throws {
        let (server, replicas) = try ready()
        let session = try fixture.open(server)
        for id in 1...2 { _ = try send(server, Sample.call(id: "\(id)"), session) }
        try replicas[0].upstream.serve(Sample.answer(id: "2"))
        fixture.clock.advance(by: .seconds(1799))
        server.sweep()
        fixture.clock.advance(by: .seconds(1799))
        server.sweep()
        #expect(server.status().sessions == 1)
    }

    @Test("nothing may be asked of clients, at no replica")
    func asksNobody() throws {
        let (server, replicas) = try ready()
        let sink = try send(server, Sample.call(id: "1"), try fixture.open(server)).sink
        for replica in replicas {
            try replica.upstream.serve(#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#)
            #expect(replica.connection.sent.last?.contains("-32601") == true)
        }
        #expect(sink.messages.isEmpty)
    }

    @Test("a task is refused, as tasks live in one process")
    func tasks() throws {
        let (server, _) = try ready()
        let call = #"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"e","task":{}}}"#
        #expect(
            try send(server, call, try fixture.open(server)).sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"#
                    + #""message":"tasks are not relayed in pool isolation; serve with --isolation client"}}"#
            ])
    }
}
