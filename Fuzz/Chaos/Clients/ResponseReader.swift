// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Cuts what a connection receives into HTTP/1.1 responses (RFC 9112), one after the other, with reused memory.
///
/// What it says of a response holds until the next call of ``next()``. It is stricter than a client has to be: what
/// Lodge does not write, it does not read.
struct ResponseReader {
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var status = 0
    private(set) var isEventStream = false
    /// The value of `Mcp-Session-Id`; empty without one.
    private(set) var session: [UInt8] = []
    private(set) var body: [UInt8] = []

    private var bytes: [UInt8] = []
    private var begin = 0
    private var length: Int?
    private var isChunked = false

    /// How many bytes have come that no response has taken.
    var waiting: Int { bytes.count - begin }

    mutating func receive(from socket: Socket) throws(SystemError) -> Socket.Received {
        try socket.receive(into: &bytes)
    }

    /// Takes the next response, once all of it is there.
    mutating func next() throws(Malformed) -> Bool {
        guard waiting > 0, let bodyStart = try readHead() else { return false }
        body.removeAll(keepingCapacity: true)
        guard let end = isChunked ? try dechunk(from: bodyStart) : takePlain(from: bodyStart) else { return false }
        begin = end
        if begin == bytes.count {
            bytes.removeAll(keepingCapacity: true)
            begin = 0
        } else if begin > 65_536 {
            bytes.removeFirst(begin)
            begin = 0
        }
        return true
    }

    // MARK: Head

    /// Reads the head; answers where the body starts, or nil where the head is not whole.
    private mutating func readHead() throws(Malformed) -> Int? {
        (length, isChunked, isEventStream) = (nil, false, false)
        session.removeAll(keepingCapacity: true)
        var lineStart = begin
        while true {
            guard let lineEnd = lineEnd(from: lineStart) else { return nil }
            if lineStart == begin {
                status = try statusCode(lineEnd)
            } else if lineStart == lineEnd {
                return lineEnd + 2
            } else {
                try readField(lineStart, lineEnd)
            }
            lineStart = lineEnd + 2
        }
    }

    /// Where the CR of the line that starts there stands; nil where its LF has not come.
    private func lineEnd(from start: Int) -> Int? {
        guard let feed = bytes.firstIndex(of: UInt8(ascii: "\n"), from: start) else { return nil }
        return feed > start && bytes[feed - 1] == UInt8(ascii: "\r") ? feed - 1 : nil
    }

    private func statusCode(_ end: Int) throws(Malformed) -> Int {
        // HTTP/1.1 200 OK
        guard end - begin >= 12, bytes[begin] == UInt8(ascii: "H"), let code = number(begin + 9, begin + 12, base: 10)
        else { throw Malformed(description: "no status line: \(text(begin, end))") }
        return code
    }

    private mutating func readField(_ start: Int, _ end: Int) throws(Malformed) {
        if let value = value("content-length:", start, end) {
            guard let number = number(value, end, base: 10) else { throw Malformed(description: text(start, end)) }
            length = number
        } else if value("transfer-encoding:", start, end) != nil {
            isChunked = true
        } else if let value = value("mcp-session-id:", start, end) {
            session.append(contentsOf: bytes[value..<end])
        } else if let value = value("content-type:", start, end) {
            isEventStream = bytes[value] == UInt8(ascii: "t")
        }
    }

    /// Where the value of a field starts, if the line is that field's.
    private func value(_ name: StaticString, _ start: Int, _ end: Int) -> Int? {
        let count = name.utf8CodeUnitCount
        guard end - start > count, bytes[start + count - 1] == UInt8(ascii: ":") else { return nil }
        for offset in 0..<count {
            // A literal's bytes live for ever, and `offset` is inside them.
            let wanted = unsafe name.utf8Start[offset]
            guard bytes[start + offset] | 0x20 == wanted | 0x20 else { return nil }
        }
        let value = start + count
        return value < end && bytes[value] == UInt8(ascii: " ") ? value + 1 : value
    }

    // MARK: Body

    private mutating func takePlain(from start: Int) -> Int? {
        let end = start + (length ?? 0)
        guard end <= bytes.count else { return nil }
        body.append(contentsOf: bytes[start..<end])
        return end
    }

    private mutating func dechunk(from start: Int) throws(Malformed) -> Int? {
        var at = start
        while true {
            guard let sizeEnd = lineEnd(from: at) else { return nil }
            guard let size = number(at, sizeEnd, base: 16) else {
                throw Malformed(description: "no chunk size: \(text(at, sizeEnd))")
            }
            let data = sizeEnd + 2
            guard data + size + 2 <= bytes.count else { return nil }
            guard bytes[data + size] == UInt8(ascii: "\r"), bytes[data + size + 1] == UInt8(ascii: "\n") else {
                throw Malformed(description: "a chunk of \(size) bytes does not end where it says")
            }
            if size == 0 { return data + 2 }
            body.append(contentsOf: bytes[data..<(data + size)])
            at = data + size + 2
        }
    }

    // MARK: Parts

    private func number(_ start: Int, _ end: Int, base: Int) -> Int? {
        guard start < end, end - start <= 12 else { return nil }
        var number = 0
        for place in start..<end {
            let digit: Int
            switch bytes[place] {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = Int(bytes[place] - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f") where base == 16: digit = Int(bytes[place]) - 0x61 + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F") where base == 16: digit = Int(bytes[place]) - 0x41 + 10
            default: return nil
            }
            number = number * base + digit
        }
        return number
    }

    private func text(_ start: Int, _ end: Int) -> String { String(decoding: bytes[start..<end], as: UTF8.self) }
}
