// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Testing

@testable import Gateway

@Suite("What is kept of a stream")
struct ReplayBufferTests {
    private func event(_ text: String) -> MessageBytes { MessageBytes(ByteBuffer(string: text)) }

    private func buffer(_ texts: [String], events: Int = 256, bytes: Int = 1 << 20) -> ReplayBuffer {
        var buffer = ReplayBuffer()
        for text in texts { buffer.append(event(text), maximumEvents: events, maximumBytes: bytes) }
        return buffer
    }

    @Test("what follows an event is what came after it, and nothing after the last")
    func after() {
        let buffer = buffer(["a", "b", "c"])
        #expect(buffer.events(after: 0) == .events([event("a"), event("b"), event("c")]))
        #expect(buffer.events(after: 2) == .events([event("c")]))
        #expect(buffer.events(after: 3) == .events([]))
        #expect(buffer.events(after: 4) == .unknown)
        #expect(buffer.events(after: -1) == .unknown)
    }

    @Test("beyond the number of events the oldest goes, which whoever needs it is told")
    func manyEvents() {
        let buffer = buffer(["a", "b", "c"], events: 2)
        #expect(buffer.events(after: 0) == .dropped)
        #expect(buffer.events(after: 1) == .events([event("b"), event("c")]))
        #expect(buffer.rest(after: 0) == [event("b"), event("c")])
        #expect(buffer.bytes == 2)
    }

    @Test("beyond the number of bytes the oldest go, but never the newest")
    func manyBytes() {
        let buffer = buffer(["aa", "bb", "a long one"], bytes: 4)
        #expect(buffer.events(after: 2) == .events([event("a long one")]))
        #expect(buffer.events(after: 1) == .dropped)
    }

    @Test("what is freed is the oldest, as much as is needed")
    func freed() {
        var buffer = buffer(["aa", "bb", "cc"])
        buffer.free(3)
        #expect(buffer.bytes == 2)
        #expect(buffer.events(after: 2) == .events([event("cc")]))
        buffer.free(100)
        #expect(buffer.bytes == 0)
        #expect(buffer.events(after: 2) == .dropped)
        #expect(buffer.events(after: 3) == .events([]))
    }

    @Test(
        "an event's id is read as it was written, and nothing else is",
        arguments: ["g1.0", "pffffffffffffffff.255"])
    func id(text: String) { #expect(EventID(text).map(String.init(describing:)) == text) }

    @Test(
        "what is no event's id is none",
        arguments: ["", "p", "p1", "p.1", "x1.1", "p1.", "p1.-1", "p1.x", "p10000000000000000.1", "1"])
    func noID(text: String) { #expect(EventID(text) == nil) }

    @Test("a message comes out of its event as it went in", arguments: [1, 20_000])
    func framing(count: Int) {
        let message = MessageBytes(
            ByteBuffer(repeating: 0x61, count: count), tail: [ByteBuffer(string: #"event: message"#)])
        for id in [nil, EventID(StreamName(.own), 7)] {
            let event = EventFraming.event(message, id: id)
            #expect(EventFraming.message(in: event).joined() == message.joined())
            let start = id.map { "id: \($0)\n" } ?? ""
            #expect(String(buffer: event.joined()).hasPrefix("\(start)event: message\ndata: a"))
        }
    }
}
