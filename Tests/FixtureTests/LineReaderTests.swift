// SPDX-License-Identifier: Apache-2.0

import FixtureKit
import Glibc
import Testing

struct LineReaderTests {
    /// The lines that a reader makes of bytes that come through a pipe.
    private func lines(_ text: String) throws -> [String] {
        var ends: [Int32] = [0, 0]
        try #require(unsafe pipe(&ends) == 0)
        let writing = Descriptor(ends[1])
        let reading = Descriptor(ends[0])
        defer { reading.close() }
        // Small enough for the pipe to hold, so that nobody has to read meanwhile.
        try writing.write(Array(text.utf8))
        writing.close()
        var reader = LineReader(reading)
        var lines: [String] = []
        while let line = try reader.next() { lines.append(String(decoding: line, as: UTF8.self)) }
        return lines
    }

    @Test("lines are cut at line feeds, and empty ones are kept")
    func cut() throws {
        #expect(try lines("a\n\nb\r\n") == ["a", "", "b\r"])
    }

    @Test("a last line without a line feed is given out", .timeLimit(.minutes(1)))
    func unended() throws {
        #expect(try lines("a\nb") == ["a", "b"])
    }

    @Test("nothing has no lines", .timeLimit(.minutes(1)))
    func empty() throws {
        #expect(try lines("").isEmpty)
    }
}
