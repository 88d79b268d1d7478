// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import Testing

@testable import BrokerCore

@Suite("Clients and servers on many threads", .timeLimit(.minutes(2)))
struct ConcurrencyTests {
    /// Answers each call on whatever thread it comes, as a server does that is done before the caller goes on.
    private static func answering(_ upstream: Upstream) -> FakeConnection {
        let connection = FakeConnection()
        connection.onSend { [weak upstream] text in
            guard let upstream, let message = try? ServerMessage.of(text), message.envelope.kind == .request else {
                return
            }
            let id = message.raw(message.envelope.id)
            try? upstream.serve(
                text.contains(#""initialize""#)
                    ? Sample.initializeAnswer(id: id)
                    : Sample.answer(id: id, #"{"name":"\#(message.string(message.envelope.name) ?? "")"}"#))
        }
        return connection
    }

    @Test("every call ends once with its own answer or a reason while generations come and go")
    func callsAndCrashes() async throws {
        let fixture = try ServerFixture()
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(Self.answering(upstream), timer: FakeTimer())
        let sinks = try await withThrowingTaskGroup(of: [(String, RecordingSink)].self) { group in
            for client in 0..<6 {
                group.addTask {
                    try (0..<400).map { number in
                        let (name, sink) = ("c\(client)-\(number)", RecordingSink())
                        let message = try ClientMessage.of(Sample.call(id: "1", tool: name))
                        let session = SessionKey(number: UInt64(client))
                        let ticket = upstream.request(message, session: session, sink: sink)
                        // A late withdrawal must do no harm.
                        if number % 7 == 0, let ticket, !sink.answers.isEmpty { upstream.withdraw(ticket) }
                        return (name, sink)
                    }
                }
            }
            group.addTask {
                for _ in 0..<200 {
                    upstream.generationEnded(Ending(.exited(code: 1)), retry: fixture.clock.now)
                    upstream.generationStarted(Self.answering(upstream), timer: FakeTimer())
                }
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        upstream.generationEnded(Ending(.stopped), retry: nil)
        #expect(sinks.count == 2400)
        for (name, sink) in sinks {
            let body = try #require(sink.bodies.first)
            #expect(sink.bodies.count == 1)
            #expect(body.contains(#""name":"\#(name)""#) || body.contains(#""server":"files""#), "\(name): \(body)")
        }
        #expect(server.status().callsInFlight == 0)
        #expect(upstream.inspect { $0.isQuiet })
    }

    @Test("sessions and streams that come and go leave nothing behind")
    func sessions() async throws {
        let fixture = try ServerFixture()
        let server = fixture.sharedServer()
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(Self.answering(upstream), timer: FakeTimer())
        let streams = try await withThrowingTaskGroup(of: [RecordingStream].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await withThrowingTaskGroup(of: RecordingStream?.self) { race in
                        for _ in 0..<100 {
                            let opening = RecordingSink()
                            _ = server.receive(try .of(Sample.initialize), sink: opening)
                            let id = try #require(opening.openedSession)
                            let stream = RecordingStream()
                            race.addTask {
                                server.openStream(stream, session: id, principal: .anonymous) ? stream : nil
                            }
                            race.addTask {
                                _ = server.endSession(id, principal: .anonymous)
                                return nil
                            }
                        }
                        return try await race.reduce(into: []) { if let stream = $1 { $0.append(stream) } }
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(server.status().sessions == 0)
        // Whoever won, a stream that was taken was closed with its session.
        #expect(streams.filter { !$0.isClosed }.isEmpty)
        #expect(upstream.inspect { $0.isQuiet })
    }
}
