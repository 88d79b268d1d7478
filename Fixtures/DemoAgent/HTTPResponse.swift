// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What has come so far of the answer to an HTTP/1.1 request.
struct HTTPResponse {
    let status: Int
    private let headers: [(name: String, value: String)]
    /// The body without its transfer coding.
    let body: [UInt8]
    /// Whether the body is all there, as far as its own framing tells.
    let isComplete: Bool

    /// Nil while the head is not all there.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        self.status = status
        headers = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            return (line[..<colon].lowercased(), String(value))
        }
        let raw = Array(bytes[end.upperBound...])
        if Self.value(of: "transfer-encoding", in: headers)?.lowercased() == "chunked" {
            (body, isComplete) = Self.unchunked(raw)
        } else if let length = Self.value(of: "content-length", in: headers).flatMap(Int.init) {
            (body, isComplete) = (Array(raw.prefix(length)), raw.count >= length)
        } else {
            (body, isComplete) = (raw, status == 204)
        }
    }

    func header(_ name: String) -> String? { Self.value(of: name, in: headers) }

    private static func value(of name: String, in headers: [(name: String, value: String)]) -> String? {
        headers.first { $0.name == name }?.value
    }

    /// Takes the chunks apart (RFC 9112, section 7.1); a chunk that is not all there yet is left out.
    private static func unchunked(_ raw: [UInt8]) -> (body: [UInt8], isComplete: Bool) {
        var body: [UInt8] = []
        var at = 0
        while let end = raw.firstIndex(of: 0x0A, from: at) {
            let line = String(decoding: raw[at..<end], as: UTF8.self)
            guard let size = Int(line.prefix { $0.isHexDigit }, radix: 16) else { return (body, false) }
            if size == 0 { return (body, true) }
            guard end + 1 + size <= raw.count else { return (body, false) }
            body += raw[(end + 1)..<(end + 1 + size)]
            at = min(end + 1 + size + 2, raw.count)
        }
        return (body, false)
    }

    /// The messages of a body, be it one JSON text or a stream of events; those that are not all there are left out.
    var messages: [JSONValue] {
        guard header("content-type")?.hasPrefix("text/event-stream") == true else {
            return (try? JSONValue(parsing: body)).map { [$0] } ?? []
        }
        let text = String(decoding: body, as: UTF8.self).replacing("\r\n", with: "\n")
        // What stands behind the last empty line is an event that has not ended.
        return text.split(separator: "\n\n", omittingEmptySubsequences: false).dropLast().compactMap { event in
            let data = event.split(separator: "\n").filter { $0.hasPrefix("data:") }.map { $0.dropFirst(5) }
            return try? JSONValue(parsing: data.joined(separator: "\n"))
        }
    }
}
