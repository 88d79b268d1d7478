// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Sessions that end with their server's process, and outages that the transport tells")
struct GenerationSessionTests {
    private let fixture: ServerFixture

    init() throws { fixture = try ServerFixture() }

    private func open(_ server: SharedServer) throws -> String {
        let sink = RecordingSink()
        _ = server.receive(try .of(Sample.initialize, principal: .alice), sink: sink)
        return try #require(sink.openedSession)
    }

    private func call(_ server: SharedServer, _ session: String, _ sink: RecordingSink) throws -> Admission {
        server.receive(try .of(Sample.call(id: "1"), session: session, principal: .alice), sink: sink)
    }

    /// A22
    @Test("a call in flight gets the reason, and by then its session is unknown")
    func ended() throws {
        let server = fixture.sharedServer { $0.sessionsEndWithGeneration = true }
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        let (session, sink, stream) = (try open(server), RecordingSink(), RecordingStream())
        #expect(server.openStream(stream, session: session, principal: .alice))
        _ = try call(server, session, sink)
        upstream.generationEnded(Ending(.exited(code: 3)), retry: .now)
        #expect(sink.bodies.count == 1)
        #expect(sink.bodies.first?.contains(#""reason":"exited""#) == true)
        #expect(stream.isClosed)
        #expect(server.status().sessions == 0)
        #expect(try call(server, session, RecordingSink()).refusal == .unknownSession)
        _ = try upstream.startGeneration()
        #expect(try call(server, session, RecordingSink()).refusal == .unknownSession)
        #expect(try call(server, try open(server), RecordingSink()).ticket != nil)
    }

    /// A-G12
    @Test("a session that is opened while the process ends, ends too")
    func endedWhileOpening() throws {
        let server = fixture.sharedServer { $0.sessionsEndWithGeneration = true }
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        fixture.whileOpening.update { hook in
            hook = { upstream.generationEnded(Ending(.exited(code: 3)), retry: .now) }
        }
        let session = try open(server)
        fixture.whileOpening.update { $0 = nil }
        #expect(try call(server, session, RecordingSink()).refusal == .unknownSession)
        #expect(server.status().sessions == 0)
    }

    /// A23
    @Test(
        "a call whose server is down is refused by the transport too, where that is wanted", arguments: [true, false])
    func down(isWanted: Bool) throws {
        let server = fixture.sharedServer { $0.multiplexer.outageIsUnavailable = isWanted }
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        let (session, sink) = (try open(server), RecordingSink())
        upstream.generationEnded(Ending(.exited(code: 3)), retry: nil)
        _ = try call(server, session, sink)
        #expect(sink.retryAfter == (isWanted ? 1 : nil))
        #expect(sink.bodies.first?.contains(#""code":-32000"#) == true)
    }

    /// A24
    @Test("so is one that takes too long")
    func slow() throws {
        let harness = try MultiplexerHarness.ready { $0.outageIsUnavailable = true }
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.advance(by: .seconds(300))
        #expect(sink.retryAfter == 1)
        #expect(sink.bodies.first?.contains("did not answer within 300 s") == true)
    }

    /// A20
    @Test("one that was in flight when its server ended is answered, not refused")
    func inFlight() throws {
        let harness = try MultiplexerHarness.ready { $0.outageIsUnavailable = true }
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.end(.exited(code: 3))
        #expect(sink.retryAfter == nil)
        #expect(sink.bodies.count == 1)
    }
}
