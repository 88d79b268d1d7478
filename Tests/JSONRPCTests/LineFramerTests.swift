// SPDX-License-Identifier: Apache-2.0

import JSONRPC
import JSONRPCOracle
import Testing

@Suite("Lines")
struct LineFramerTests {
    private let stream = Array("one\n\ntwo and a half\r\n\nlonger than the limit is\nx\nrest".utf8)

    @Test("lines are the same however the stream is cut, at every limit")
    func chunkings() {
        for limit in [0, 1, 3, 14, 15, 16, 100] {
            for chunk in 1...stream.count {
                #expect(Checks.lines(stream, limit: limit, chunk: chunk) == nil, "limit \(limit), chunks of \(chunk)")
            }
        }
    }

    @Test("every way to cut a short stream in two or three gives the same lines")
    func cuts() {
        let bytes = Array("ab\ncd\n\ne".utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                var framer = LineFramer(limit: 10)
                var lines: [[UInt8]] = [[]]
                for range in [0..<first, first..<second, second..<bytes.count] {
                    let chunk = Array(bytes[range])
                    var offset = 0
                    while let part = framer.next(in: chunk.span, from: &offset) {
                        guard case .line(let range) = part else {
                            if case .fragment(let range) = part { lines[lines.count - 1] += chunk[range] }
                            continue
                        }
                        lines[lines.count - 1] += chunk[range]
                        lines.append([])
                    }
                }
                #expect(lines == ["ab", "cd", "", "e"].map { Array($0.utf8) })
                #expect(framer.finish() == .withinLine)
            }
        }
    }

    @Test("a line over the limit is reported as soon as it is one, and the next line is a line again")
    func overflow() {
        var framer = LineFramer(limit: 4)
        func parts(_ text: String) -> [LineFramer.Part] {
            let chunk = Array(text.utf8)
            var offset = 0
            var parts: [LineFramer.Part] = []
            while let part = framer.next(in: chunk.span, from: &offset) { parts.append(part) }
            return parts
        }
        #expect(parts("abcd") == [.fragment(0..<4)])
        #expect(parts("e") == [.overflow(0..<1)])
        #expect(parts("f\nabcd\nabcde\n") == [.overflowEnd(0..<1), .line(2..<6), .overflowEnd(7..<12)])
        #expect(parts("") == [])
        #expect(framer.finish() == .betweenLines)
        #expect(parts("abcde") == [.overflow(0..<5)])
        #expect(framer.finish() == .withinOverflow)
        #expect(parts("\n") == [.line(0..<0)])
    }

    private func search(_ chunk: [UInt8], from start: Int = 0) -> Int? {
        NewlineSearch.firstNewline(in: chunk.span, from: start)
    }

    @Test("a line feed is found at every place of a chunk of every length, and nothing else is taken for one")
    func everyPlace() {
        for length in 0..<150 {
            var chunk = [UInt8](repeating: 0x8A, count: length)
            #expect(search(chunk) == nil)
            for place in 0..<length {
                chunk[place] = 0x0A
                #expect(search(chunk) == place)
                #expect(search(chunk, from: place) == place)
                #expect(search(chunk, from: place + 1) == nil)
                chunk[place] = UInt8(truncatingIfNeeded: place &* 7) | 0x80
            }
        }
    }
}
