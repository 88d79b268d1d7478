// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

/// A ready server with a policy, its upstream, and a session.
struct ServerUnderPolicy {
    let server: SharedServer
    let upstream: Upstream
    let connection: FakeConnection
    let session: String
    let fixture: ServerFixture

    init(_ policy: ToolPolicy = .everything, resultLimit: Int? = nil) throws {
        fixture = try ServerFixture()
        server = fixture.sharedServer {
            $0.multiplexer.tools = policy
            $0.multiplexer.resultLimit = resultLimit
        }
        upstream = try fixture.lastStarted()
        connection = try upstream.startGeneration()
        let sink = RecordingSink()
        _ = server.receive(try .of(Sample.initialize), sink: sink)
        session = try #require(sink.openedSession)
    }

    /// Sends a request, and the server's answer to it where it got there; returns what the client saw.
    func ask(_ request: String, answer: String? = nil) throws -> [String] {
        let sink = RecordingSink()
        _ = server.receive(try .of(request, session: session), sink: sink)
        if let answer { try upstream.serve(answer) }
        return sink.bodies
    }
}
