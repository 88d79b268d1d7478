// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Upstreams of principals")
struct PrincipalUpstreamTests {
    private func starts(_ clients: ModernClients) -> Int { clients.fixture.supervisor.starts.count }

    @Test("a principal has one upstream, which declares everything and is started again")
    func one() throws {
        let clients = try ModernClients()
        let alice = try clients.start()
        #expect(
            alice.connection.sent.first?.contains(
                #""capabilities":{"sampling":{"context":{},"tools":{}},"elicitation":{"form":{},"url":{}},"roots":{}}"#)
                == true)
        #expect(clients.fixture.supervisor.starts.last?.restarts == true)
        try clients.send(Modern.call("1"))
        #expect(starts(clients) == 2)
        let bob = try clients.start(.bob)
        #expect(starts(clients) == 3)
        try clients.send(Modern.call("1"), .bob)
        #expect(alice.connection.sent.count == 3)
        #expect(bob.connection.sent.count == 3)
    }

    @Test("a principal's upstream proves the server, as the throw-away one would have")
    func proof() throws {
        let clients = try ModernClients()
        let proof = try clients.fixture.lastStarted()
        #expect(!clients.server.isReady)
        _ = try clients.start()
        #expect(clients.server.isReady)
        #expect(clients.fixture.supervisor.hasStopped(proof))
    }

    @Test("upstreams and sessions have one cap, and a session that nobody uses makes room")
    func cap() throws {
        let clients = try ModernClients { $0.clientUpstreams = 2 }
        _ = try clients.start()
        let opened = RecordingSink()
        _ = clients.server.receive(try .of(Sample.initialize), sink: opened)
        let ofSession = try clients.fixture.lastStarted()
        ofSession.generationStarted(FakeConnection(), timer: FakeTimer())
        try ofSession.serve(Sample.initializeAnswer(id: "1"))
        #expect(opened.openedSession != nil)
        #expect(clients.server.status().upstreams == 2)
        clients.fixture.clock.advance(by: .seconds(60))
        _ = try clients.start(.bob)
        #expect(clients.fixture.supervisor.hasStopped(ofSession))
        let carol = try clients.send(Modern.call("1"), Principal(name: "carol"))
        #expect(
            carol.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"every upstream of server 'files' is in use; wait, or end a client that needs none"}}"#
            ])
        #expect(carol.failedWith == -32603)
        let refused = RecordingSink()
        _ = clients.server.receive(try .of(Sample.initialize), sink: refused)
        #expect(refused.retryAfter == 60)
    }

    @Test("one that nobody uses is stopped, one with a listener or a waiting call is not")
    func idle() throws {
        let clients = try ModernClients()
        let (alice, bob, carol) = (
            try clients.start(), try clients.start(.bob), try clients.start(Principal(name: "carol"))
        )
        let listening = try clients.open(
            Modern.request("1", "subscriptions/listen", #""notifications":{"toolsListChanged":true},"#), .bob)
        clients.fixture.clock.advance(by: .seconds(590))
        try clients.send(Modern.call("1"), Principal(name: "carol"))
        try carol.ask(Modern.elicit("7"))
        clients.fixture.clock.advance(by: .seconds(590))
        clients.server.sweep()
        #expect(clients.fixture.supervisor.hasStopped(alice.upstream))
        #expect(!clients.fixture.supervisor.hasStopped(bob.upstream))
        #expect(!clients.fixture.supervisor.hasStopped(carol.upstream))
        listening.ticket.abandon()
        clients.fixture.clock.advance(by: .seconds(600))
        carol.upstream.deadlineReached()
        clients.server.sweep()
        #expect(clients.fixture.supervisor.hasStopped(bob.upstream))
        #expect(clients.fixture.supervisor.hasStopped(carol.upstream))
        #expect(clients.server.status().upstreams == 0)
        _ = try clients.start()
        #expect(try clients.fixture.lastStarted() !== alice.upstream)
    }

    @Test("stopping the server stops them")
    func stop() throws {
        let clients = try ModernClients()
        let alice = try clients.start()
        clients.server.stop()
        #expect(clients.fixture.supervisor.hasStopped(alice.upstream))
    }
}
