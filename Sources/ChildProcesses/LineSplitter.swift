// SPDX-License-Identifier: Apache-2.0

import Glibc

/// Cuts a stream of bytes into lines, with a bound on what is held.
///
/// It knows no encoding and does no I/O. A line ends at a newline; a carriage return before it is dropped. Of a line
/// longer than `limit` the start is kept and the rest is skipped up to its newline.
struct LineSplitter: Sendable {
    /// One line, or the start of a long one.
    struct Line: Hashable, Sendable {
        var bytes: [UInt8]
        var isCut = false
    }

    /// In bytes, for one line.
    let limit: Int
    /// The start of a line whose end has not come; never more than `limit` bytes.
    private var pending: [UInt8] = []
    private var pendingIsCut = false

    init(limit: Int) { self.limit = limit }

    /// Takes the next bytes and answers where each line that they end begins and ends, without copying.
    ///
    /// Follow it with `line(_:of:)` for those lines that are wanted, then with `keepRest(of:after:)`.
    func ends(in chunk: [UInt8]) -> [Int] {
        var ends: [Int] = []
        // Sound: memchr reads only between `from` and the end of the buffer, and answers a place in it or nil.
        unsafe chunk.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress else { return }
            var from = 0
            while from < buffer.count,
                let found = unsafe memchr(base + from, Int32(UInt8(ascii: "\n")), buffer.count - from)
            {
                let end = unsafe base.distance(to: UnsafeRawPointer(found))
                ends.append(end)
                from = end + 1
            }
        }
        return ends
    }

    /// The line with this index in `ends`; the first one begins with what was pending.
    func line(_ index: Int, endingAt ends: [Int], of chunk: [UInt8]) -> Line {
        guard index > 0 else { return Self.joined(pending, pendingIsCut, chunk[..<ends[0]], limit, atEnd: true) }
        return Self.joined([], false, chunk[(ends[index - 1] + 1)..<ends[index]], limit, atEnd: true)
    }

    /// Keeps what follows the last newline, for the next chunk.
    mutating func keepRest(of chunk: [UInt8], after ends: [Int]) {
        let rest = chunk[(ends.last.map { $0 + 1 } ?? 0)...]
        let before = ends.isEmpty ? (pending, pendingIsCut) : ([], false)
        let line = Self.joined(before.0, before.1, rest, limit, atEnd: false)
        (pending, pendingIsCut) = (line.bytes, line.isCut)
    }

    /// Answers the last line if it has no newline, and forgets it.
    mutating func finish() -> Line? {
        guard !pending.isEmpty else { return nil }
        defer { (pending, pendingIsCut) = ([], false) }
        return Line(bytes: pending, isCut: pendingIsCut)
    }

    private static func joined(
        _ start: [UInt8], _ isCut: Bool, _ more: ArraySlice<UInt8>, _ limit: Int, atEnd: Bool
    ) -> Line {
        var line = Line(bytes: start, isCut: isCut)
        var more = more
        // Only the return before the newline, and before the limit is judged, so that it costs nothing.
        if atEnd, more.last == UInt8(ascii: "\r") { more = more.dropLast() }
        let room = limit - line.bytes.count
        line.bytes += more.prefix(room)
        if more.count > room { line.isCut = true }
        return line
    }
}
