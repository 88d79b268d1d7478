// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Subscriptions of a shared server")
struct SubscriptionTests {
    private let updated = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1"}}"#

    /// A harness in which these sessions have a stream and subscribe to the resource.
    private func subscribed(_ sessions: UInt64...) throws -> (MultiplexerHarness, [RecordingStream]) {
        let harness = try MultiplexerHarness.ready()
        let streams = sessions.map { _ in RecordingStream() }
        for (session, stream) in zip(sessions, streams) {
            harness.open(stream, session)
            try harness.request(Sample.subscribe(id: "1"), session, RecordingSink())
            if session == sessions.first { try harness.serve(Sample.empty(id: harness.lastTicket)) }
        }
        harness.takeSent()
        return (harness, streams)
    }

    @Test("the server hears of the first subscriber only, and an update reaches each of them")
    func firstOnly() throws {
        let harness = try MultiplexerHarness.ready()
        let streams = [RecordingStream(), RecordingStream(), RecordingStream()]
        for (index, stream) in streams.enumerated() { harness.open(stream, UInt64(index + 1)) }
        let (first, second) = (RecordingSink(), RecordingSink())
        try harness.request(Sample.subscribe(id: "1"), 1, first)
        #expect(harness.sent == [Sample.subscribe(id: "2")])
        try harness.serve(Sample.empty(id: "2"))
        try harness.request(Sample.subscribe(id: "\"s\""), 2, second)
        #expect(harness.sent.count == 1)
        #expect(first.bodies == [Sample.empty(id: "1")])
        #expect(second.bodies == [Sample.empty(id: "\"s\"")])
        try harness.serve(updated)
        #expect(streams.map(\.messages) == [[updated], [updated], []])
    }

    @Test("a subscription that the server refused is none")
    func refused() throws {
        let harness = try MultiplexerHarness.ready()
        let stream = RecordingStream()
        harness.open(stream)
        let sink = RecordingSink()
        try harness.request(Sample.subscribe(id: "1"), sink)
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"error":{"code":-32002,"message":"none"}}"#)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"none"}}"#])
        try harness.serve(updated)
        #expect(stream.messages.isEmpty)
        #expect(!harness.holdsState(1))
    }

    @Test("one of several may leave without the server hearing of it, and gets no more updates")
    func oneLeaves() throws {
        let (harness, streams) = try subscribed(1, 2)
        let sink = RecordingSink()
        try harness.request(Sample.unsubscribe(id: "5"), 1, sink)
        #expect(harness.sent.isEmpty)
        #expect(sink.bodies == [Sample.empty(id: "5")])
        try harness.serve(updated)
        #expect(streams.map(\.messages) == [[], [updated]])
    }

    @Test("the last one to leave takes the subscription back at the server")
    func lastLeaves() throws {
        let (harness, streams) = try subscribed(1, 2)
        try harness.request(Sample.unsubscribe(id: "5"), 1, RecordingSink())
        let sink = RecordingSink()
        try harness.request(Sample.unsubscribe(id: "6"), 2, sink)
        let ticket = harness.lastTicket
        #expect(harness.takeSent() == [Sample.unsubscribe(id: ticket)])
        try harness.serve(Sample.empty(id: ticket))
        #expect(sink.bodies == [Sample.empty(id: "6")])
        try harness.serve(updated)
        #expect(streams.map(\.messages) == [[], []])
        #expect(!harness.holdsState(2))
    }

    @Test("a stranger who unsubscribes does not disturb the subscribers")
    func stranger() throws {
        let (harness, streams) = try subscribed(1)
        let sink = RecordingSink()
        try harness.request(Sample.unsubscribe(id: "5"), 9, sink)
        #expect(harness.sent.isEmpty)
        #expect(sink.bodies == [Sample.empty(id: "5")])
        try harness.serve(updated)
        #expect(streams[0].messages == [updated])
    }

    @Test("who joins while the last one leaves is subscribed anew at the server", arguments: [true, false])
    func joinWhileLastLeaves(answersInOrder: Bool) throws {
        let (harness, streams) = try subscribed(1)
        let second = RecordingStream()
        harness.open(second, 2)
        try harness.request(Sample.unsubscribe(id: "5"), 1, RecordingSink())
        let leaving = Sample.empty(id: harness.lastTicket)
        let sink = RecordingSink()
        try harness.request(Sample.subscribe(id: "6"), 2, sink)
        let joining = Sample.empty(id: harness.lastTicket)
        #expect(harness.takeSent().last == Sample.subscribe(id: harness.lastTicket))
        for answer in answersInOrder ? [leaving, joining] : [joining, leaving] { try harness.serve(answer) }
        #expect(sink.bodies == [Sample.empty(id: "6")])
        try harness.serve(updated)
        #expect(streams[0].messages.isEmpty)
        #expect(second.messages == [updated])
    }

    @Test("who leaves and joins again without waiting is subscribed", arguments: [true, false])
    func leavesAndJoins(answersInOrder: Bool) throws {
        let (harness, streams) = try subscribed(1)
        try harness.request(Sample.unsubscribe(id: "5"), 1, RecordingSink())
        let leaving = Sample.empty(id: harness.lastTicket)
        try harness.request(Sample.subscribe(id: "6"), 1, RecordingSink())
        let joining = Sample.empty(id: harness.lastTicket)
        for answer in answersInOrder ? [leaving, joining] : [joining, leaving] { try harness.serve(answer) }
        try harness.serve(updated)
        #expect(streams[0].messages == [updated])
    }

    @Test("who joins and leaves without waiting is not subscribed", arguments: [true, false])
    func joinsAndLeaves(answersInOrder: Bool) throws {
        let harness = try MultiplexerHarness.ready()
        let stream = RecordingStream()
        harness.open(stream)
        try harness.request(Sample.subscribe(id: "1"), RecordingSink())
        try harness.request(Sample.unsubscribe(id: "2"), RecordingSink())
        #expect(harness.takeSent() == [Sample.subscribe(id: "2"), Sample.unsubscribe(id: "3")])
        for ticket in answersInOrder ? ["2", "3"] : ["3", "2"] { try harness.serve(Sample.empty(id: ticket)) }
        #expect(harness.sent.isEmpty)
        try harness.serve(updated)
        #expect(stream.messages.isEmpty)
    }

    @Test("a stranger's unsubscribe that overtakes a first subscription does not end it")
    func strangerDuringFirst() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.subscribe(id: "1"), 1, RecordingSink())
        try harness.request(Sample.unsubscribe(id: "1"), 2, RecordingSink())
        try harness.serve(Sample.empty(id: "2"))
        harness.takeSent()
        try harness.serve(Sample.empty(id: "3"))
        #expect(harness.sent == [Sample.subscribe(id: "4")])
        #expect(harness.holdsState(1))
    }

    @Test("an update of a resource that nobody subscribes to goes nowhere")
    func otherResource() throws {
        let (harness, streams) = try subscribed(1)
        try harness.serve(#"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:2"}}"#)
        #expect(streams[0].messages.isEmpty)
    }

    @Test("URIs are compared as decoded strings")
    func escapes() throws {
        let (harness, streams) = try subscribed(1)
        let escaped = #"{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"\u0061:1"}}"#
        try harness.serve(escaped)
        #expect(streams[0].messages == [escaped])
    }

    @Test("a session that ends gives its subscriptions back, others' stay")
    func sessionEnds() throws {
        let (harness, _) = try subscribed(1, 2)
        try harness.request(Sample.subscribe(id: "9", uri: "b:1"), 2, RecordingSink())
        try harness.serve(Sample.empty(id: harness.lastTicket))
        harness.takeSent()
        harness.endSession(2)
        #expect(harness.sent == [Sample.unsubscribe(id: harness.lastTicket, uri: "b:1")])
        #expect(harness.holdsState(1))
        #expect(!harness.holdsState(2))
    }

    @Test("a request to subscribe without a URI is passed on and subscribes to nothing")
    func withoutURI() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"level":"debug"}}"#, RecordingSink())
        #expect(
            harness.sent == [#"{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"level":"debug"}}"#])
        try harness.serve(Sample.empty(id: "2"))
        #expect(!harness.holdsState(1))
    }

    @Test("in client isolation subscriptions are the server's own business")
    func clientIsolation() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        try harness.request(Sample.subscribe(id: "1"), RecordingSink())
        try harness.serve(Sample.empty(id: harness.lastTicket))
        harness.takeSent()
        try harness.request(Sample.subscribe(id: "2"), RecordingSink())
        #expect(harness.sent == [Sample.subscribe(id: harness.lastTicket)])
    }
}
