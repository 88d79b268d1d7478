// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import ChildProcesses

@Suite("lines of standard error")
struct LineTests {
    private func log(_ chunks: [String], at now: Duration = .zero) -> [String] {
        var log = StandardErrorLog()
        return chunks.flatMap { log.take(Array($0.utf8), at: now) } + log.finish(at: now)
    }

    @Test("a line in many pieces is one line")
    func pieces() {
        #expect(log(["a", "b", "c\nd", "\n", "\n", "e"]) == ["abc", "d", "", "e"])
    }

    @Test("a carriage return before the newline is dropped, another is kept")
    func carriageReturn() {
        #expect(log(["one\r\ntw\ro\n"]) == ["one", "tw\ro"])
    }

    @Test("a line of exactly the limit is whole, one byte more is cut")
    func limit() {
        let whole = String(repeating: "x", count: 8192)
        #expect(log([whole + "\n", whole + "y\n", "z\n"]) == [whole, whole + " … (line cut)", "z"])
    }

    @Test("the rest of a cut line is dropped over many pieces")
    func cutOverPieces() {
        let piece = String(repeating: "x", count: 5000)
        let cut = String(repeating: "x", count: 8192) + " … (line cut)"
        #expect(log([piece, piece, piece, "tail\nnext\n"]) == [cut, "next"])
    }

    @Test("a cut in the middle of a character shows no damage")
    func cutCharacter() {
        let text = String(repeating: "x", count: 8191)
        #expect(log([text + "é…\n"]) == [text + " … (line cut)"])
    }

    @Test("bytes that are not UTF-8 are repaired")
    func repair() {
        var log = StandardErrorLog()
        #expect(log.take([0x61, 0xFF, 0x62, 0x0A], at: .zero) == ["a\u{FFFD}b"])
    }

    @Test("the tail keeps the last 64 lines")
    func tailLines() {
        var tail = LineTail()
        for number in 1...100 { tail.append("\(number)") }
        #expect(tail.lines == (37...100).map(String.init))
    }

    @Test("the tail keeps at most 16 KiB")
    func tailBytes() {
        var tail = LineTail()
        for _ in 0..<5 { tail.append(String(repeating: "x", count: 5000)) }
        #expect(tail.lines.count == 3)
    }

    @Test("a line longer than the whole tail keeps its start")
    func tailLongLine() {
        var tail = LineTail(lines: 4, bytes: 4)
        tail.append("ab")
        tail.append("xyzéé")
        #expect(tail.lines == ["xyz"])
    }

    @Test("the tail also has the lines that the sink does not get")
    func tailOfDropped() {
        var log = StandardErrorLog(limit: LineRateLimit(burst: 1, linesPerSecond: 1))
        #expect(log.take(Array("a\nb\nc\n".utf8), at: .zero) == ["a"])
        #expect(log.tail.lines == ["a", "b", "c"])
    }

    @Test("the burst passes, then the rate, and the dropped are told of by number once a second")
    func rate() {
        var limit = LineRateLimit(burst: 1000, linesPerSecond: 200)
        #expect(limit.admit(5000, at: .zero) == 1000)
        #expect(limit.takeSummary(at: .milliseconds(999)) == nil)
        #expect(limit.admit(5000, at: .milliseconds(500)) == 100)
        #expect(limit.takeSummary(at: .seconds(1)) == "… 8900 lines dropped")
        #expect(limit.takeSummary(at: .seconds(2)) == nil)
        #expect(limit.admit(5000, at: .seconds(60)) == 1000)
    }

    @Test("what was dropped is told at the end at the latest")
    func summaryAtEnd() {
        var log = StandardErrorLog(limit: LineRateLimit(burst: 1, linesPerSecond: 1))
        _ = log.take(Array("a\nb\nc\n".utf8), at: .zero)
        #expect(log.finish(at: .zero) == ["… 2 lines dropped"])
    }

    @Test("last words pass even when lines are being dropped")
    func lastWords() {
        var log = StandardErrorLog(limit: LineRateLimit(burst: 1, linesPerSecond: 1))
        _ = log.take(Array("a\nb\npanic".utf8), at: .zero)
        #expect(log.flush() == ["panic"])
    }
}
