// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// Names resources in the answer of a member as its client knows them: some get the member's prefix.
///
/// It looks where the protocol has them (contents of a resource, links and embedded resources in results of tools and
/// in messages of prompts), not into texts. It is not on the way of a member all of whose resources keep their URIs.
final class ResourceNamesSink: CallSink {
    private let inner: any CallSink
    private let server: String
    private let isPrefixed: @Sendable (String) -> Bool

    init(_ inner: any CallSink, server: String, isPrefixed: @escaping @Sendable (String) -> Bool) {
        self.inner = inner
        self.server = server
        self.isPrefixed = isPrefixed
    }

    var acceptsStream: Bool { inner.acceptsStream }
    func deliver(_ message: MessageBytes) { inner.deliver(message) }

    func finish(_ answer: Answer) {
        guard case .message(let message) = answer else { return inner.finish(answer) }
        inner.finish(.message(ResourceNames(message).prefixed(server, where: isPrefixed)))
    }
}

/// Where an answer names resources.
struct ResourceNames {
    private let message: MessageBytes
    private let bytes: ByteBuffer
    /// Raw ranges of the URIs, in the order of the answer.
    private(set) var places: [Range<Int>] = []

    init(_ message: MessageBytes) {
        self.message = message
        let buffer = message.joined()
        bytes = buffer
        let span = buffer.readableBytesUInt8Span
        guard let result = (try? MessageScanner.scan(span))?.result else { return }
        for contents in Self.elements("contents", of: result, in: span) { note(contents, in: span) }
        for block in Self.elements("content", of: result, in: span) { note(block: block, in: span) }
        for message in Self.elements("messages", of: result, in: span) {
            for block in Self.elements("content", of: message, in: span) { note(block: block, in: span) }
        }
        places.sort { $0.lowerBound < $1.lowerBound }
    }

    /// The answer with a server's prefix in front of the URIs for which that holds.
    func prefixed(_ server: String, where isPrefixed: (String) -> Bool) -> MessageBytes {
        let span = bytes.readableBytesUInt8Span
        let prefix = Array(MemberPrefix.ofResources(server).utf8)
        var rewritten: [UInt8] = []
        var written = 0
        for place in places {
            guard let uri = JSONString.decode(span, place), isPrefixed(uri) else { continue }
            rewritten += Array(copying: span.extracting(written..<place.lowerBound + 1)) + prefix
            written = place.lowerBound + 1
        }
        guard written > 0 else { return message }
        rewritten += Array(copying: span.extracting(written..<span.count))
        return MessageBytes(bytes: rewritten)
    }

    private mutating func note(block: Range<Int>, in span: Span<UInt8>) {
        note(block, in: span)
        if case .value(let resource) = JSONMembers.find("resource", in: span, object: block) {
            note(resource, in: span)
        }
    }

    private mutating func note(_ object: Range<Int>, in span: Span<UInt8>) {
        guard case .value(let raw) = JSONMembers.find("uri", in: span, object: object),
            JSONString.contents(of: raw, in: span) != nil
        else { return }
        places.append(raw)
    }

    /// The elements of a list, or the one value that stands in its place.
    private static func elements(
        _ name: StaticString, of object: Range<Int>, in span: Span<UInt8>
    ) -> [Range<Int>] {
        guard case .value(let value) = JSONMembers.find(name, in: span, object: object) else { return [] }
        guard let elements = try? MessageScanner.batchElements(of: span.extracting(value)) else { return [value] }
        return elements.map { value.lowerBound + $0.lowerBound..<value.lowerBound + $0.upperBound }
    }
}
