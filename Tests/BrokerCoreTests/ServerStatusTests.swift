// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("What a server says of itself")
struct ServerStatusTests {
    private let fixture: ServerFixture

    init() throws { fixture = try ServerFixture() }

    @Test("a shared server goes through starting, running, restarting, failed and stopped")
    func states() throws {
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        #expect(server.status().state == "starting")
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        #expect(server.status().state == "starting")
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        #expect(server.status().state == "running")
        upstream.generationEnded(Ending(.exited(code: 3)), retry: fixture.clock.now)
        #expect(server.status().state == "restarting")
        #expect(server.status().lastEnding == "ended with exit status 3")
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        #expect(server.status().state == "restarting")
        upstream.generationEnded(Ending(.exited(code: 3)), retry: nil)
        #expect(server.status().state == "failed")
        upstream.generationEnded(Ending(.stopped), retry: nil)
        #expect(server.status().state == "stopped")
    }

    @Test("it names the server, its version and what is in flight")
    func details() throws {
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        _ = upstream.request(try .of(Sample.call(id: "1")), session: SessionKey(number: 1), sink: RecordingSink())
        try upstream.serve(Sample.answer(id: "77"))
        let status = server.status()
        #expect(status.name == "files")
        #expect(status.isolation == "shared")
        #expect(status.ready)
        #expect(status.serverInfo == ["name": "fake", "version": "1"])
        #expect(status.protocolVersion == "2025-11-25")
        #expect(status.callsInFlight == 1)
        #expect(status.upstreams == 1)
        #expect(status.unknownAnswers == 1)
        #expect(status.restarts == 0)
    }
}
