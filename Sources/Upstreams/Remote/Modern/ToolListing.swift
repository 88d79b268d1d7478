// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// A page of `tools/list`, as a client of HTTP has to take it: a tool whose `x-mcp-header` is invalid is not in it
/// (2026-07-28, basic/transports/streamable-http, Schema Extension).
struct ToolListing: Sendable {
    /// A tool that is left out.
    struct Dropped: Hashable, Sendable {
        let name: String
        /// A clause without a subject.
        let problem: String
    }

    /// The headers of the tools that are left, also of those that want none.
    private(set) var headers: [String: ParameterHeaders] = [:]
    private(set) var dropped: [Dropped] = []
    /// The raw cursor of the next page.
    private(set) var next: [UInt8]?
    /// The message without what is dropped, and otherwise as it came.
    private(set) var message: ByteBuffer

    /// Reads an answer to `tools/list` on one line; nil for what is none.
    init?(_ message: ByteBuffer) {
        let span = message.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(span), let result = envelope.result,
            case .value(let list) = JSONMembers.find("tools", in: span, object: result),
            let elements = try? MessageScanner.batchElements(of: span.extracting(list))
        else { return nil }
        self.message = message
        if case .value(let cursor) = JSONMembers.find("nextCursor", in: span, object: result),
            JSONString.contents(of: cursor, in: span) != nil
        {
            next = Array(copying: span.extracting(cursor))
        }
        var kept: [Range<Int>] = []
        for element in elements {
            let range = list.lowerBound + element.lowerBound..<list.lowerBound + element.upperBound
            if take(span.extracting(range)) { kept.append(range) }
        }
        guard !dropped.isEmpty else { return }
        var shorter = Array(copying: span.extracting(0..<list.lowerBound)) + [UInt8(ascii: "[")]
        for (place, range) in kept.enumerated() {
            if place > 0 { shorter.append(UInt8(ascii: ",")) }
            shorter += Array(copying: span.extracting(range))
        }
        shorter += [UInt8(ascii: "]")] + Array(copying: span.extracting(list.upperBound..<span.count))
        self.message = ByteBuffer(bytes: shorter)
    }

    /// Answers whether a tool can stay.
    private mutating func take(_ bytes: Span<UInt8>) -> Bool {
        guard let tool = try? JSONValue.parse(bytes) else {
            // Only one that is nested beyond all reason; what it annotates cannot be known.
            dropped.append(Dropped(name: "", problem: "is nested too deep to be read"))
            return false
        }
        let name = tool["name"]?.string ?? ""
        guard let headers = ParameterHeaders(tool: tool) else {
            dropped.append(Dropped(name: name, problem: ParameterHeaders.problem(in: tool) ?? ""))
            return false
        }
        self.headers[name] = headers
        return true
    }
}
