// SPDX-License-Identifier: Apache-2.0

/// Reads responses of HTTP/1.1 out of bytes, so strictly that a wrong framing shows.
///
/// It is the tests' own reader and shares no code with the server.
struct HTTPResponseParser {
    enum Piece: Sendable {
        case head(status: Int, headers: [RawHTTPResponse.Header])
        case body([UInt8])
        case end
    }

    private enum State {
        case head
        case fixed(remaining: Int)
        case chunkSize
        case chunk(remaining: Int)
        case chunkEnd
        case trailers
        case untilClose
    }

    private var state = State.head
    private var bytes: [UInt8] = []
    private var at = 0

    mutating func feed(_ more: [UInt8]) {
        if at > 1 << 16 {
            bytes.removeFirst(at)
            at = 0
        }
        bytes += more
    }

    /// Whether everything fed was read, and no response has begun.
    var isBetweenResponses: Bool {
        if case .head = state { return at == bytes.count }
        return false
    }

    /// The next piece; nil where more bytes are needed.
    mutating func next(isClosed: Bool) throws(RawHTTPError) -> Piece? {
        while true {
            switch state {
            case .head: return try head()
            case .fixed(let remaining):
                if remaining == 0 { return end() }
                guard let body = take(upTo: remaining) else { return nil }
                state = .fixed(remaining: remaining - body.count)
                return .body(body)
            case .chunkSize:
                guard let line = line() else { return nil }
                guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else {
                    throw .malformed("chunk size '\(line)'")
                }
                state = size == 0 ? .trailers : .chunk(remaining: size)
            case .chunk(let remaining):
                guard let body = take(upTo: remaining) else { return nil }
                state = remaining == body.count ? .chunkEnd : .chunk(remaining: remaining - body.count)
                return .body(body)
            case .chunkEnd:
                guard let line = line() else { return nil }
                guard line.isEmpty else { throw .malformed("'\(line)' behind a chunk") }
                state = .chunkSize
            case .trailers:
                guard let line = line() else { return nil }
                if line.isEmpty { return end() }
            case .untilClose:
                if let body = take(upTo: .max) { return .body(body) }
                return isClosed ? end() : nil
            }
        }
    }

    private mutating func end() -> Piece {
        state = .head
        return .end
    }

    private mutating func head() throws(RawHTTPError) -> Piece? {
        let start = at
        var lines: [String] = []
        while true {
            guard let line = line() else {
                at = start
                return nil
            }
            if line.isEmpty { break }
            lines.append(line)
        }
        let words = lines.first?.split(separator: " ", maxSplits: 2) ?? []
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw .malformed("status line '\(lines.first ?? "")'")
        }
        var headers: [RawHTTPResponse.Header] = []
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .malformed("header line '\(line)'") }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            headers.append(.init(name: String(line[..<colon]), value: String(value)))
        }
        let response = RawHTTPResponse(status: status, headers: headers, body: [])
        if status < 200 || status == 204 {
            state = .fixed(remaining: 0)
        } else if let length = response["content-length"] {
            guard let count = Int(length) else { throw .malformed("Content-Length '\(length)'") }
            state = .fixed(remaining: count)
        } else {
            state = response["transfer-encoding"] == "chunked" ? .chunkSize : .untilClose
        }
        return .head(status: status, headers: headers)
    }

    private mutating func line() -> String? {
        guard let end = bytes[at...].firstIndex(of: 0x0A) else { return nil }
        var line = bytes[at..<end]
        if line.last == 0x0D { line.removeLast() }
        at = end + 1
        return String(decoding: line, as: UTF8.self)
    }

    private mutating func take(upTo count: Int) -> [UInt8]? {
        let available = min(count, bytes.count - at)
        guard available > 0 else { return nil }
        defer { at += available }
        return Array(bytes[at..<at + available])
    }
}
