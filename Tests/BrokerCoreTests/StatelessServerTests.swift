// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Testing

@testable import BrokerCore

@Suite("A shared server without sessions")
struct StatelessServerTests {
    private let fixture: ServerFixture
    private let server: SharedServer
    private let upstream: Upstream
    private let connection: FakeConnection

    init() throws {
        fixture = try ServerFixture()
        server = fixture.sharedServer { $0.isStateless = true }
        upstream = try fixture.lastStarted()
        connection = try upstream.startGeneration()
    }

    private func message(_ json: String) throws -> ClientMessage {
        let bytes = ByteBuffer(string: json)
        return ClientMessage(
            bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span), session: nil,
            principal: .alice, isStateless: true)
    }

    @discardableResult
    private func send(_ json: String) throws -> (Admission, RecordingSink) {
        let sink = RecordingSink()
        return (server.receive(try message(json), sink: sink), sink)
    }

    @Test("initialize is answered as ever, and opens no session")
    func initialize() throws {
        let (_, sink) = try send(Sample.initialize(id: "5", version: "2025-03-26"))
        guard case .message(let answer)? = sink.answers.first else {
            Issue.record("not an answer without a session: \(sink.answers)")
            return
        }
        #expect(answer.text == Sample.initializeAnswer(id: "5", version: "2025-03-26"))
        #expect(server.status().sessions == 0)
        #expect(server.isStateless)
    }

    @Test("equal ids at once each get their own answer (D8)")
    func equalIDs() throws {
        let sinks = try (0..<3).map { _ in try send(Sample.call(id: "1")).1 }
        for ticket in [4, 2, 3] { try upstream.serve(Sample.answer(id: "\(ticket)", #"{"t":\#(ticket)}"#)) }
        #expect(sinks.map(\.bodies) == [2, 3, 4].map { [Sample.answer(id: "1", #"{"t":\#($0)}"#)] })
    }

    @Test("a cancellation is taken and means nobody's call")
    func cancellation() throws {
        let (_, sink) = try send(Sample.call(id: "1"))
        #expect(try send(Sample.cancelled("1")).0.isAccepted)
        #expect(sink.answers.isEmpty)
        #expect(!connection.sent.contains { $0.contains("notifications/cancelled") })
        try upstream.serve(Sample.answer(id: "2"))
        #expect(sink.bodies == [Sample.answer(id: "1")])
    }

    @Test("a call that is given up is cancelled at the server")
    func withdrawn() throws {
        let (admission, _) = try send(Sample.call(id: "1"))
        admission.ticket?.abandon()
        #expect(connection.sent.last?.contains(#""method":"notifications/cancelled","params":{"requestId":2"#) == true)
        #expect(server.status().callsInFlight == 0)
    }

    @Test(
        "what would belong to a session is refused with the way out, and the server does not hear of it",
        arguments: [
            (Sample.subscribe(id: "9"), "resources/subscribe"), (Sample.unsubscribe(id: "9"), "resources/unsubscribe"),
            (Sample.setLevel(id: "9", "debug"), "logging/setLevel"),
        ])
    func refused(request: String, method: String) throws {
        let before = connection.sent.count
        let (_, sink) = try send(request)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":9,"error":{"code":-32601,"#
                    + #""message":"'\#(method)' needs a session; serve without --stateless"}}"#
            ])
        #expect(connection.sent.count == before)
    }

    @Test("notifications and responses are taken")
    func notifications() throws {
        #expect(try send(Sample.initialized).0.isAccepted)
        #expect(try send(Sample.answer(id: "1")).0.isAccepted)
    }

    @Test("a transport that brings sessions of its own still has them")
    func sessions() throws {
        let sink = RecordingSink()
        _ = server.receive(try .of(Sample.initialize), sink: sink)
        let session = try #require(sink.openedSession)
        let caller = RecordingSink()
        _ = server.receive(try .of(Sample.call(id: "7"), session: session), sink: caller)
        try upstream.serve(Sample.answer(id: "2"))
        #expect(caller.bodies == [Sample.answer(id: "7")])
    }
}
