// SPDX-License-Identifier: Apache-2.0
import ChildProcesses
import NIOCore
import NIOEmbedded
import Testing

@testable import Upstreams

@Suite("The output of a child", .timeLimit(.minutes(1)))
struct ChildOutputTests {
    @Test("a line that came byte by byte is one message")
    func manyChunks() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            let ticket = try child.call(id: 7, sink)
            for byte in (Body.answer(ticket) + "\n").utf8 {
                #expect(sink.answers.isEmpty)
                try child.write([byte])
            }
            #expect(sink.answers == [Body.answer(7)])
        }
    }

    @Test("one chunk may end one line, hold another and begin a third")
    func manyLines() async throws {
        try await OutputHarness.with { child in
            let (first, second, third) = (RecordingSink(), RecordingSink(), RecordingSink())
            let tickets = try [child.call(id: 7, first), child.call(id: 8, second), child.call(id: 9, third)]
            let begin = Body.answer(tickets[0])
            let end = Body.answer(tickets[2])
            try child.write(String(begin.prefix(10)))
            try child.write(begin.dropFirst(10) + "\n" + Body.answer(tickets[1]) + "\n" + end.prefix(5))
            #expect(first.answers == [Body.answer(7)])
            #expect(second.answers == [Body.answer(8)])
            #expect(third.answers.isEmpty)
            try child.write(end.dropFirst(5) + "\n")
            #expect(third.answers == [Body.answer(9)])
        }
    }

    @Test("a CR before the line feed is no part of the message")
    func carriageReturn() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            try child.write(Body.answer(child.call(id: 7, sink)) + "\r\n")
            #expect(sink.answers.map { $0.trimming("\r") } == [Body.answer(7)])
        }
    }

    @Test("a line over the limit fails its own call and no other", arguments: [1, 1000])
    func oversized(chunks: Int) async throws {
        try await OutputHarness.with(lineLimit: 256) { child in
            let (large, small) = (RecordingSink(), RecordingSink())
            let (largeTicket, smallTicket) = try (child.call(id: 7, large), child.call(id: 8, small))
            let text = #"{"a":"\#(String(repeating: "x", count: 999))"}"#
            let line = Array((Body.answer(largeTicket, text) + "\n" + Body.answer(smallTicket) + "\n").utf8)
            let size = (line.count + chunks - 1) / chunks
            for start in stride(from: 0, to: line.count, by: size) {
                try child.write(Array(line[start..<min(start + size, line.count)]))
            }
            #expect(large.answers == [Body.unusable(7, "a line over the limit of 256 bytes")])
            #expect(small.answers == [Body.answer(8)])
        }
    }

    @Test("a limit of whole MiB is told in MiB")
    func limitInMiB() async throws {
        try await OutputHarness.with(lineLimit: 2 << 20) { child in
            let sink = RecordingSink()
            let text = #"{"a":"\#(String(repeating: "x", count: 2 << 20))"}"#
            try child.write(Body.answer(child.call(id: 7, sink), text) + "\n")
            #expect(sink.answers == [Body.unusable(7, "a line over the limit of 2 MiB")])
        }
    }

    @Test("a request over the limit that bears a call's id fails no call")
    func oversizedRequest() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            let ticket = try child.call(id: 7, sink)
            let text = String(repeating: "x", count: 999)
            try child.write(#"{"jsonrpc":"2.0","id":\#(ticket),"method":"m","params":{"a":"\#(text)"}}"# + "\n")
            #expect(sink.answers.isEmpty)
        }
    }

    @Test("a last line without a line feed is a message")
    func noLineFeed() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            try child.write(Body.answer(child.call(id: 7, sink)))
            #expect(sink.answers.isEmpty)
            child.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            #expect(sink.answers == [Body.answer(7)])
            #expect(child.endings.value == 1)
        }
    }

    @Test("a last line is delivered once, though the end is seen twice")
    func endSeenTwice() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            try child.write(Body.answer(child.call(id: 7, sink)))
            child.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
            child.channel.pipeline.fireChannelInactive()
            #expect(sink.answers == [Body.answer(7)])
        }
    }

    @Test("what is no message is kept aside, and the messages around it are delivered")
    func garbage() async throws {
        try await OutputHarness.with { child in
            let (first, second) = (RecordingSink(), RecordingSink())
            let (before, after) = try (child.call(id: 7, first), child.call(id: 8, second))
            try child.write(Body.answer(before) + "\nnpm notice\n{}\n42\n" + Body.answer(after) + "\n")
            #expect(first.answers == [Body.answer(7)])
            #expect(second.answers == [Body.answer(8)])
            #expect(child.child.strayOutputTail == ["npm notice", "{}", "42"])
        }
    }

    @Test("blank lines are passed over without a trace")
    func blankLines() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            try child.write("\n\r\n  \t\n" + Body.answer(child.call(id: 7, sink)) + "\n\n")
            #expect(sink.answers == [Body.answer(7)])
            #expect(child.child.strayOutputTail.isEmpty)
        }
    }

    @Test("each message of a batch is delivered, whatever stands beside it")
    func batch() async throws {
        try await OutputHarness.with { child in
            let (first, second) = (RecordingSink(), RecordingSink())
            let (one, two) = try (child.call(id: 7, first), child.call(id: 8, second))
            try child.write("[\(Body.answer(two)), 42, [\(Body.answer(one))] , \(Body.answer(one))]\n")
            #expect(first.answers == [Body.answer(7)])
            #expect(second.answers == [Body.answer(8)])
        }
    }

    @Test("an answer with two ids fails each call that it might be for, at once, and no other")
    func twoIDs() async throws {
        try await OutputHarness.with { child in
            let (first, second, other) = (RecordingSink(), RecordingSink(), RecordingSink())
            let (one, two) = try (child.call(id: 7, first), child.call(id: 8, second))
            let three = try child.call(id: 9, other)
            try child.write(#"{"jsonrpc":"2.0","id":\#(two),"result":{},"id":\#(one)}"# + "\n")
            let problem = "a message that cannot be read: the message has the member 'id' twice (byte 36)"
            #expect(first.answers == [Body.unusable(7, problem)])
            #expect(second.answers == [Body.unusable(8, problem)])
            #expect(other.answers.isEmpty)
            try child.write(Body.answer(three) + "\n")
            #expect(other.answers == [Body.answer(9)])
        }
    }

    @Test("a message of a batch with two ids fails its call, and those beside it are delivered")
    func twoIDsInBatch() async throws {
        try await OutputHarness.with { child in
            let (first, second) = (RecordingSink(), RecordingSink())
            let (one, two) = try (child.call(id: 7, first), child.call(id: 8, second))
            try child.write(#"[{"id":\#(one),"result":{},"id":0},\#(Body.answer(two))]"# + "\n")
            let problem = "a message that cannot be read: the message has the member 'id' twice (byte 20)"
            #expect(first.answers == [Body.unusable(7, problem)])
            #expect(second.answers == [Body.answer(8)])
        }
    }

    @Test("a request with two ids fails no call")
    func requestWithTwoIDs() async throws {
        try await OutputHarness.with { child in
            let sink = RecordingSink()
            let ticket = try child.call(id: 7, sink)
            try child.write(#"{"id":\#(ticket),"method":"ping","id":\#(ticket)}"# + "\n")
            #expect(sink.answers.isEmpty)
        }
    }

    @Test("an answer with neither a result nor an error fails its call, and a request that is none does not")
    func emptyAnswer() async throws {
        try await OutputHarness.with { child in
            let (first, second) = (RecordingSink(), RecordingSink())
            let (one, two) = try (child.call(id: 7, first), child.call(id: 8, second))
            try child.write(#"{"jsonrpc":"2.0","id":\#(one)}"# + "\n" + #"{"id":\#(two),"method":5}"# + "\n")
            #expect(first.answers == [Body.unusable(7, "a message with neither a result nor an error")])
            #expect(second.answers.isEmpty)
        }
    }

    @Test("an answer that is not UTF-8 fails its call and says where")
    func invalidUTF8() async throws {
        try await OutputHarness.with { child in
            let (broken, sound) = (RecordingSink(), RecordingSink())
            let (one, two) = try (child.call(id: 7, broken), child.call(id: 8, sound))
            let head = Array(#"{"jsonrpc":"2.0","id":\#(one),"result":{"a":"b"#.utf8)
            try child.write(head + [0xff] + Array("\"}}\n\(Body.answer(two))\n".utf8))
            let problem = "a message that cannot be read: the message is not UTF-8 (byte \(head.count))"
            #expect(broken.answers == [Body.unusable(7, problem)])
            #expect(sound.answers == [Body.answer(8)])
        }
    }
}

extension String {
    fileprivate func trimming(_ character: Character) -> String { String(filter { $0 != character }) }
}
