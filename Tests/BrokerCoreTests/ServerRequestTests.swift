// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import Testing

@testable import BrokerCore

@Suite("Requests of a server")
struct ServerRequestTests {
    private func sampling(id: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"sampling/createMessage","params":{"messages":[]}}"#
    }

    @Test("a shared server is refused, and the refusal names the method")
    func refusedInShared() throws {
        let harness = try MultiplexerHarness.ready()
        let (sink, stream) = (RecordingSink(), RecordingStream())
        harness.open(stream)
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        try harness.serve(sampling(id: "\"s\""))
        #expect(
            harness.sent == [
                #"{"jsonrpc":"2.0","id":"s","error":{"code":-32601,"#
                    + #""message":"the client did not declare what 'sampling/createMessage' needs"}}"#
            ])
        #expect(sink.messages.isEmpty)
        #expect(stream.messages.isEmpty)
    }

    @Test("a ping is answered here under the server's own id", arguments: ["1", "\"x\"", "1.0"])
    func ping(id: String) throws {
        let shared = try MultiplexerHarness.ready()
        try shared.serve(#"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"#)
        #expect(shared.sent == [Sample.empty(id: id)])
        let own = try MultiplexerHarness.readyForOneClient()
        try own.serve(#"{"jsonrpc":"2.0","id":\#(id),"method":"ping"}"#)
        #expect(own.sent == [Sample.empty(id: id)])
    }

    @Test("the newest call that takes messages carries a request, under an id of ours")
    func newestCall() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let (older, newer, closed) = (RecordingSink(), RecordingSink(), RecordingSink(acceptsStream: false))
        let stream = RecordingStream()
        harness.open(stream)
        try harness.request(Sample.call(id: "1"), older)
        try harness.request(Sample.call(id: "2"), newer)
        try harness.request(Sample.call(id: "3"), closed)
        try harness.serve(sampling(id: "\"s\""))
        #expect(newer.messages == [sampling(id: harness.lastTicket)])
        #expect(older.messages.isEmpty)
        #expect(closed.messages.isEmpty)
        #expect(stream.messages.isEmpty)
    }

    @Test("without a call the session's stream carries it")
    func stream() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let stream = RecordingStream()
        harness.open(stream)
        try harness.serve(sampling(id: "1"))
        #expect(stream.messages == [sampling(id: harness.lastTicket)])
    }

    @Test("a call whose client may come back to it carries it for want of a stream")
    func keptCall() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let (left, plain, stream) = (
            RecordingSink(acceptsStream: false, keepsMessages: true), RecordingSink(acceptsStream: false),
            RecordingStream()
        )
        try harness.request(Sample.call(id: "1"), left)
        try harness.request(Sample.call(id: "2"), plain)
        try harness.serve(sampling(id: "\"s\""))
        #expect(left.messages == [sampling(id: harness.lastTicket)])
        harness.open(stream)
        try harness.serve(sampling(id: "\"t\""))
        #expect(stream.messages == [sampling(id: harness.lastTicket)])
        #expect(left.messages.count == 1)
        #expect(plain.messages.isEmpty)
    }

    @Test("without either it waits for the stream")
    func waitsForStream() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        try harness.serve(sampling(id: "1"))
        let stream = RecordingStream()
        harness.open(stream)
        #expect(stream.messages == [sampling(id: harness.lastTicket)])
    }

    @Test("what a stream took and its client did not see waits for the next one, but for what is settled meanwhile")
    func unseen() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let (first, second) = (RecordingStream(), RecordingStream())
        harness.open(first)
        let notice = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
        try harness.serve(sampling(id: "\"s\""))
        let settled = sampling(id: harness.lastTicket)
        try harness.respond(#"{"jsonrpc":"2.0","id":\#(harness.lastTicket),"result":{}}"#)
        try harness.serve(sampling(id: "\"t\""))
        let open = sampling(id: harness.lastTicket)
        harness.close(first, unseen: [settled, open, notice, "no message"])
        harness.open(second)
        #expect(second.messages == [notice, open])
    }

    @Test("or for the next call that takes messages, and is not lost to one that does not")
    func waitsForCall() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        try harness.serve(sampling(id: "1"))
        let expected = sampling(id: harness.lastTicket)
        let (closed, open) = (RecordingSink(acceptsStream: false), RecordingSink())
        try harness.request(Sample.call(id: "1"), closed)
        #expect(closed.messages.isEmpty)
        try harness.request(Sample.call(id: "2"), open)
        #expect(open.messages == [expected])
    }

    @Test("the client's response reaches the server under the server's own id, other bytes unchanged")
    func response() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: #""a\u0062""#))
        try harness.respond(#"{"result":{"model":"m","x":1.0}, "id":\#(harness.lastTicket),"jsonrpc":"2.0"}"#)
        #expect(harness.sent == [#"{"result":{"model":"m","x":1.0}, "id":"a\u0062","jsonrpc":"2.0"}"#])
        #expect(harness.isQuiet)
    }

    @Test("the client's error reaches the server")
    func errorResponse() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: "5"))
        try harness.respond(#"{"jsonrpc":"2.0","id":\#(harness.lastTicket),"error":{"code":-1,"message":"declined"}}"#)
        #expect(harness.sent == [#"{"jsonrpc":"2.0","id":5,"error":{"code":-1,"message":"declined"}}"#])
    }

    @Test("a second response to one request is dropped")
    func doubleResponse() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: "5"))
        let response = Sample.empty(id: harness.lastTicket)
        try harness.respond(response)
        harness.takeSent()
        try harness.respond(response)
        #expect(harness.sent.isEmpty)
    }

    @Test("a response to an id that the client was not asked under is dropped", arguments: ["5", "\"3\"", "1", "99"])
    func unknownResponse(id: String) throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: "5"))
        try harness.respond(Sample.empty(id: id))
        #expect(harness.sent.isEmpty)
        guard case .unknownClientResponse = try #require(harness.logged.last) else {
            Issue.record("the response was not logged")
            return
        }
    }

    @Test("a server's id that equals a ticket in flight is not mistaken for its answer")
    func collidingIDs() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let sink = RecordingSink()
        let ticket = try #require(try harness.request(Sample.call(id: "9"), sink))
        harness.takeSent()
        try harness.serve(sampling(id: "\(ticket)"))
        let asked = harness.lastTicket
        #expect(sink.answers.isEmpty)
        #expect(sink.messages == [sampling(id: asked)])
        try harness.respond(Sample.answer(id: asked, #"{"r":1}"#))
        #expect(harness.sent == [Sample.answer(id: "\(ticket)", #"{"r":1}"#)])
        try harness.serve(Sample.answer(id: "\(ticket)"))
        #expect(sink.bodies == [Sample.answer(id: "9")])
    }

    @Test("two requests of the server under one id are answered each")
    func equalServerIDs() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: "5"))
        let first = harness.lastTicket
        try harness.serve(sampling(id: "5"))
        let second = harness.lastTicket
        try harness.respond(Sample.answer(id: second, "2"))
        try harness.respond(Sample.answer(id: first, "1"))
        #expect(harness.sent == [Sample.answer(id: "5", "2"), Sample.answer(id: "5", "1")])
    }

    @Test("the server may take a request back, which the client hears under our id")
    func serverCancels() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let stream = RecordingStream()
        harness.open(stream)
        try harness.serve(sampling(id: "5"))
        let ticket = harness.lastTicket
        try harness.serve(Sample.cancelled("5"))
        #expect(stream.messages == [sampling(id: ticket), Sample.cancelled(ticket)])
        try harness.respond(Sample.empty(id: ticket))
        #expect(harness.sent.isEmpty)
    }

    @Test("a request taken back before any client saw it is never shown")
    func serverCancelsInTime() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        try harness.serve(sampling(id: "5"))
        try harness.serve(Sample.cancelled("5"))
        #expect(harness.isQuiet)
        let stream = RecordingStream()
        harness.open(stream)
        #expect(stream.messages.isEmpty)
    }

    @Test("a server cannot take back what it did not ask")
    func serverCancelsUnknown() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(Sample.cancelled("2"))
        #expect(sink.messages.isEmpty)
        #expect(harness.callsInFlight == 1)
    }

    @Test("a request that the client does not answer in time is answered here, and its response is dropped")
    func timesOut() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: "\"s\""))
        let ticket = harness.lastTicket
        harness.advance(by: .seconds(300))
        #expect(
            harness.takeSent() == [
                #"{"jsonrpc":"2.0","id":"s","error":{"code":-32000,"#
                    + #""message":"the client did not answer within 300 s"}}"#
            ])
        try harness.respond(Sample.empty(id: ticket))
        #expect(harness.sent.isEmpty)
        #expect(harness.isQuiet)
    }

    @Test("a request that timed out before any client saw it is never shown")
    func timesOutUnseen() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        try harness.serve(sampling(id: "5"))
        harness.advance(by: .seconds(300))
        #expect(harness.isQuiet)
        let stream = RecordingStream()
        harness.open(stream)
        #expect(stream.messages.isEmpty)
    }

    @Test("a request that finds no room to wait in is refused")
    func noRoom() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        for index in 1...64 { try harness.serve(sampling(id: "\(index)")) }
        #expect(harness.sent.isEmpty)
        try harness.serve(sampling(id: "65"))
        #expect(
            harness.sent == [
                #"{"jsonrpc":"2.0","id":65,"error":{"code":-32000,"message":"the client has no way to be asked"}}"#
            ])
    }

    @Test("the requests of a generation die with it")
    func generationEnds() throws {
        let harness = try MultiplexerHarness.readyForOneClient()
        harness.open(RecordingStream())
        try harness.serve(sampling(id: "5"))
        let ticket = harness.lastTicket
        harness.end(retryIn: nil)
        try harness.respond(Sample.empty(id: ticket))
        #expect(harness.sent.isEmpty)
        #expect(harness.isQuiet)
    }

    @Test("the throw-away upstream of a client's server is refused like a shared one")
    func proofUpstream() throws {
        let harness = MultiplexerHarness(isolation: .client) { $0.ownHandshake = true }
        try harness.startGeneration()
        try harness.serve(sampling(id: "5"))
        #expect(
            harness.sent == [
                #"{"jsonrpc":"2.0","id":5,"error":{"code":-32601,"#
                    + #""message":"the client did not declare what 'sampling/createMessage' needs"}}"#
            ])
    }
}
