// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("Changes at a modern server")
struct ChildListeningTests {
    private static let capabilities =
        #"{"tools":{"listChanged":true},"prompts":{},"resources":{"listChanged":true,"subscribe":true}}"#

    private func start(audience: Multiplexer.Audience = .everybody) throws -> MultiplexerHarness {
        try MultiplexerHarness.modern(audience: audience, server: Self.capabilities)
    }

    @Test("the handshake ends with one stream for the lists that change; notices come without its tag")
    func lists() throws {
        let harness = MultiplexerHarness { $0.era = .modern }
        harness.start()
        harness.takeSent()
        try harness.serve(ModernServer.discovered(id: "1", capabilities: Self.capabilities))
        #expect(
            harness.takeSent() == [
                ModernServer.listen(id: "2", #"{"toolsListChanged":true,"resourcesListChanged":true}"#)
            ])
        let stream = RecordingStream()
        harness.open(stream)
        try harness.serve(ModernServer.notice("notifications/subscriptions/acknowledged", stream: "2"))
        try harness.serve(ModernServer.notice("notifications/tools/list_changed", stream: "2"))
        #expect(stream.messages == [#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#])
        // Neither a foreign tag nor none at all is one of ours.
        try harness.serve(ModernServer.notice("notifications/tools/list_changed", stream: "99"))
        try harness.serve(#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#)
        #expect(stream.messages.count == 1)
        #expect(harness.sent.isEmpty)
    }

    @Test("one stream for a resource, from the first subscriber to the last")
    func subscribers() throws {
        let harness = try start()
        let (one, two) = (RecordingStream(), RecordingStream())
        harness.open(one, 1)
        harness.open(two, 2)
        let sink = RecordingSink()
        try harness.request(Sample.subscribe(id: "1"), 1, sink)
        let ticket = harness.lastTicket
        #expect(harness.takeSent() == [ModernServer.listen(id: ticket, #"{"resourceSubscriptions":["a:1"]}"#)])
        try harness.request(Sample.subscribe(id: "2"), 2, sink)
        #expect(harness.sent.isEmpty)
        let more = #","uri":"a:1""#
        try harness.serve(ModernServer.notice("notifications/resources/updated", stream: ticket, more))
        let plain = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1"}}"#
        #expect(one.messages == [plain])
        #expect(two.messages == [plain])
        try harness.request(Sample.unsubscribe(id: "3"), 1, sink)
        #expect(harness.sent.isEmpty)
        try harness.request(Sample.unsubscribe(id: "4"), 2, sink)
        #expect(harness.sent == [Sample.cancelled(ticket, reason: "nobody subscribes any more")])
        #expect(sink.bodies == (1...4).map { Sample.empty(id: "\($0)") })
    }

    @Test("the end of a session gives its subscriptions back")
    func sessionEnd() throws {
        let harness = try start()
        try harness.request(Sample.subscribe(id: "1"), 1, RecordingSink())
        let ticket = harness.lastTicket
        harness.takeSent()
        harness.endSession(1)
        #expect(harness.sent == [Sample.cancelled(ticket, reason: "nobody subscribes any more")])
    }

    @Test("everything is listened to again after a restart")
    func restart() throws {
        let harness = try start()
        try harness.request(Sample.subscribe(id: "1"), 1, RecordingSink())
        harness.end()
        harness.start()
        harness.takeSent()
        try harness.serve(ModernServer.discovered(id: harness.lastTicket, capabilities: Self.capabilities))
        #expect(harness.sent.count == 2)
        #expect(harness.sent.last == ModernServer.listen(id: harness.lastTicket, #"{"resourceSubscriptions":["a:1"]}"#))
    }

    @Test("a stream that the server ends is opened again where it had lasted, by either sign of its end")
    func ended() throws {
        let harness = try start()
        let first = harness.lastTicket
        harness.advance(by: .seconds(61))
        try harness.serve(Sample.answer(id: first, #"{"resultType":"complete"}"#))
        let second = harness.lastTicket
        #expect(harness.takeSent().count == 1)
        // This one did not last.
        try harness.serve(Sample.cancelled(second))
        #expect(harness.sent.isEmpty)
        #expect(harness.isQuiet)
    }
}
