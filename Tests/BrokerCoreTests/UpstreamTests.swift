// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("An upstream")
struct UpstreamTests {
    private let fixture: ServerFixture
    private let session = SessionKey(number: 1)

    init() throws { fixture = try ServerFixture() }

    @Test("a message is never written to a later generation than the one it was meant for")
    func generationsAreNotMixed() throws {
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        let (old, new) = (FakeConnection(), FakeConnection())
        upstream.generationStarted(old, timer: FakeTimer())
        let sink = RecordingSink()
        _ = upstream.request(try .of(Sample.call(id: "1")), session: session, sink: sink)
        // The server ends and another starts while the effects of its handshake are still being carried out.
        old.onSend { [weak upstream, now = fixture.clock.now] message in
            guard message == Sample.initialized else { return }
            upstream?.generationEnded(Ending(.exited(code: 1)), retry: now)
            upstream?.generationStarted(new, timer: FakeTimer())
        }
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        #expect(sink.answers.count == 1)
        #expect(new.sent == [Sample.ownInitialize(ticket: 3)])
        #expect(server.status().callsInFlight == 0)
    }

    @Test("a call is failed at once when the server does not read its input")
    func notReading() throws {
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        let connection = try upstream.startGeneration()
        connection.stopReading()
        let sink = RecordingSink()
        _ = upstream.request(try .of(Sample.call(id: "1")), session: session, sink: sink)
        #expect(sink.bodies.count == 1)
        #expect(sink.bodies.first?.contains("server 'files' does not read its input") == true)
        #expect(server.status().callsInFlight == 0)
    }

    @Test("the timer of a new generation is armed for what waited before it")
    func timerBeforeStart() throws {
        let server = fixture.sharedServer()
        let sink = RecordingSink()
        _ = server.receive(try .of(Sample.initialize), sink: sink)
        let timer = FakeTimer()
        try fixture.lastStarted().generationStarted(FakeConnection(), timer: timer)
        #expect(timer.armed == fixture.clock.now.advanced(by: .seconds(30)))
    }

    @Test("what falls due is given up when the timer calls")
    func deadline() throws {
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        let sink = RecordingSink()
        _ = upstream.request(try .of(Sample.call(id: "1")), session: session, sink: sink)
        fixture.clock.advance(by: .seconds(300))
        upstream.deadlineReached()
        #expect(sink.answers.count == 1)
        #expect(server.status().callsInFlight == 0)
    }
}
