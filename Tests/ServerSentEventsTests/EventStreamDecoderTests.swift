// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import ServerSentEvents

@Suite("event streams are decoded") struct EventStreamDecoderTests {
    private func decode(_ text: String, limit: Int = 1 << 20) -> [EventStreamDecoder.Output] {
        var decoder = EventStreamDecoder(limit: limit)
        return decoder.decode(Array(text.utf8).span)
    }

    private func event(_ data: String, _ type: String = "message") -> EventStreamDecoder.Output {
        .event(ServerSentEvent(type: type, data: Array(data.utf8)))
    }

    @Test("the fields of an event, whatever its line ends", arguments: ["\n", "\r", "\r\n"])
    func fields(end: String) {
        let text = [": hello", "event: note", "data: one", "data:two", "data", "id: 7", "other: x", "", ""]
        #expect(decode(text.joined(separator: end)) == [event("one\ntwo\n", "note")])
    }

    @Test("an event without data is none, but its id counts") func primingEvent() {
        var decoder = EventStreamDecoder(limit: 100)
        #expect(decoder.decode(Array("id: a\nretry: 250\n\n".utf8).span) == [])
        #expect(decoder.lastEventID == "a")
        #expect(decoder.retry == 250)
        #expect(decoder.decode(Array("id: b\ndata:\n\n".utf8).span) == [event("")])
        #expect(decoder.lastEventID == "b")
        #expect(decoder.decode(Array("id: c\ndata: half".utf8).span) == [])
        #expect(decoder.lastEventID == "b", "an id counts once its event has ended")
    }

    @Test("an id with a zero byte and a wait that is no number are passed by") func oddFields() {
        var decoder = EventStreamDecoder(limit: 100)
        _ = decoder.decode(Array("id: a\n\nid: x\u{0}y\nretry: -1\nretry: 1s\nretry:\n\n".utf8).span)
        #expect(decoder.lastEventID == "a")
        #expect(decoder.retry == nil)
    }

    @Test("after a break, half an event is forgotten, the id and the wait are not") func restart() {
        var decoder = EventStreamDecoder(limit: 100)
        _ = decoder.decode(Array("id: a\nretry: 9\n\nid: b\ndata: half".utf8).span)
        decoder.restart()
        #expect(decoder.decode(Array("\u{FEFF}data: whole\n\n".utf8).span) == [event("whole")])
        #expect(decoder.lastEventID == "a")
        #expect(decoder.retry == 9)
    }

    @Test("an event over the limit is passed by, and the next one is whole")
    func tooLong() {
        let long = String(repeating: "x", count: 5000)
        #expect(decode("data: 123456\n\n", limit: 6) == [event("123456")])
        #expect(decode("data: 1234567\n\n", limit: 6) == [.tooLong(start: Array("1234567".utf8))])
        #expect(decode("data: 123\ndata: 4567\n\n", limit: 6) == [.tooLong(start: Array("123".utf8))])
        let outputs = decode("data: \(long)\nid: 5\ndata: y\n\ndata: next\n\n", limit: 4500)
        #expect(outputs.count == 2)
        guard case .tooLong(let start) = outputs.first else { return #expect(Bool(false), "\(outputs)") }
        #expect(start.count <= EventStreamDecoder.keptStart && start.count > 4000)
        #expect(outputs.last == event("next"))
    }

    @Test("a comment of any length costs nothing and ends no event") func longComment() {
        #expect(decode("data: 1\n:\(String(repeating: "c", count: 500))\n\n", limit: 8) == [event("1")])
    }

    @Test("chunks may end anywhere: 2,000 random streams read as the standard tells it")
    func randomChunks() {
        var random = Seeded(state: 0x5EED)
        let pieces = [
            "data", "data:", "data: ", "id: ", "id", "event: ", "retry: ", ":", " ", "\n", "\n\n", "\r", "\r\n",
            "\r\n\r\n",
            "x", "12", "é", "\u{0}", "\u{FEFF}", "{\"a\":1}", "other: y",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
                pieces.randomElement(using: &random) ?? ""
            }.joined()
            let bytes = Array(text.utf8)
            let expected = WholeTextReader(bytes)
            var decoder = EventStreamDecoder(limit: 1 << 20)
            var outputs: [EventStreamDecoder.Output] = []
            var at = 0
            while at < bytes.count {
                let end = min(bytes.count, at + Int.random(in: 1..<8, using: &random))
                outputs += decoder.decode(Array(bytes[at..<end]).span)
                at = end
            }
            #expect(outputs == expected.events.map { .event($0) }, "\(text.debugDescription)")
            #expect(decoder.lastEventID == expected.lastEventID, "\(text.debugDescription)")
            #expect(decoder.retry == expected.retry, "\(text.debugDescription)")
        }
    }
}

/// A generator whose numbers are the same in every run.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
