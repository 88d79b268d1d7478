// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Streams and ends of sessions")
struct SessionEndTests {
    private let changed = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#

    @Test("a second stream takes the place of the first, which is closed")
    func replaced() throws {
        let harness = try MultiplexerHarness.ready()
        let (older, newer) = (RecordingStream(), RecordingStream())
        harness.open(older)
        harness.open(newer)
        #expect(older.isClosed)
        try harness.serve(changed)
        #expect(older.messages.isEmpty)
        #expect(newer.messages == [changed])
    }

    @Test("a stream whose client left gets nothing more")
    func closed() throws {
        let harness = try MultiplexerHarness.ready()
        let stream = RecordingStream()
        harness.open(stream)
        harness.close(stream)
        try harness.serve(changed)
        #expect(stream.messages.isEmpty)
        #expect(!harness.hasStream(1))
    }

    @Test("the end of a replaced stream does not detach the one in its place")
    func replacedThenClosed() throws {
        let harness = try MultiplexerHarness.ready()
        let (older, newer) = (RecordingStream(), RecordingStream())
        harness.open(older)
        harness.open(newer)
        harness.close(older)
        try harness.serve(changed)
        #expect(newer.messages == [changed])
    }

    @Test("the end of a session cancels its calls and closes its stream, others go on")
    func ended() throws {
        let harness = try MultiplexerHarness.ready()
        let (mine, other) = (RecordingSink(), RecordingSink())
        let (stream, otherStream) = (RecordingStream(), RecordingStream())
        harness.open(stream, 1)
        harness.open(otherStream, 2)
        try harness.request(Sample.call(id: "1"), 1, mine)
        try harness.request(Sample.call(id: "1"), 2, other)
        harness.takeSent()
        harness.endSession(1)
        #expect(harness.sent == [Sample.cancelled("2", reason: "the session ended")])
        #expect(
            mine.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"#
                    + #""message":"the session with server 'files' was ended","#
                    + #""data":{"server":"files","reason":"session-ended","hint":"initialize a new session"}}}"#
            ])
        #expect(stream.isClosed)
        #expect(other.answers.isEmpty)
        #expect(!otherStream.isClosed)
        #expect(harness.callsInFlight == 1)
    }

    @Test("a held call of a session that ended never reaches the server")
    func endedWhileHeld() throws {
        let harness = MultiplexerHarness()
        harness.start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        harness.endSession(1)
        #expect(harness.sent.isEmpty)
        #expect(sink.answers.count == 1)
        #expect(harness.isQuiet)
    }

    @Test("a session that ends while the server is down leaves nothing to be told to the next generation")
    func endedWhileDown() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.subscribe(id: "1"), RecordingSink())
        try harness.serve(Sample.empty(id: "2"))
        try harness.request(Sample.setLevel(id: "1", "debug"), RecordingSink())
        try harness.serve(Sample.empty(id: "3"))
        harness.end()
        harness.takeSent()
        harness.endSession(1)
        #expect(harness.sent.isEmpty)
        harness.start()
        harness.takeSent()
        try harness.serve(Sample.initializeAnswer(id: "4"))
        #expect(harness.sent == [Sample.initialized])
    }

    @Test("a first stream is told of the lists that changed since its session was opened, of each once")
    func changesBeforeTheStream() throws {
        let harness = try MultiplexerHarness.ready()
        let opened = harness.now
        harness.advance(by: .seconds(1))
        try harness.serve(changed)
        try harness.serve(#"{"jsonrpc":"2.0","method":"notifications\/tools/list_changed"}"#)
        try harness.serve(changed)
        let stream = RecordingStream()
        harness.open(stream, opened: opened)
        #expect(stream.messages == [changed])
    }

    @Test("a stream is not told of changes from before its session")
    func changesBeforeTheSession() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.serve(changed)
        harness.advance(by: .seconds(1))
        let stream = RecordingStream()
        harness.open(stream, opened: harness.now)
        #expect(stream.messages.isEmpty)
    }

    @Test("a stream that comes back is told of what changed since it broke")
    func changesWhileBroken() throws {
        let harness = try MultiplexerHarness.ready()
        let (older, newer) = (RecordingStream(), RecordingStream())
        let opened = harness.now
        harness.open(older, opened: opened)
        try harness.serve(changed)
        harness.advance(by: .seconds(1))
        harness.close(older)
        harness.advance(by: .seconds(1))
        let prompts = changed.replacing("tools", with: "prompts")
        try harness.serve(prompts)
        harness.open(newer, opened: opened)
        #expect(newer.messages == [prompts])
    }
}
