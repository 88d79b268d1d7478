// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore

/// Writes messages as server-sent events (WHATWG HTML section 9.2), and comments that only keep a connection alive.
///
/// A message must hold no raw CR or LF, which the core promises of ``MessageBytes``.
enum EventFraming {
    private static let prefix = ByteBuffer(staticString: "event: message\ndata: ")
    private static let suffix = ByteBuffer(staticString: "\n\n")
    static let keepAlive = ByteBuffer(staticString: ": keep-alive\n\n")
    /// The first bytes of a session's own stream, so that every intermediary passes the head on.
    static let opened = ByteBuffer(staticString: ": open\n\n")

    /// The first event of a stream: an id to come back with, and how many milliseconds to wait before (MCP 2025-11-25,
    /// transports, sending messages to the server).
    static func priming(_ id: EventID) -> ByteBuffer { ByteBuffer(string: "id: \(id)\nretry: 1000\ndata:\n\n") }

    /// A message as an event; a small one is copied into one piece, the pieces of a large one are not copied.
    static func event(_ message: MessageBytes, id: EventID? = nil) -> MessageBytes {
        let count = message.count
        let start = id.map { "id: \($0)\n" } ?? ""
        let framing = start.utf8.count + prefix.readableBytes + suffix.readableBytes
        guard count > MessageBytes.copyLimit else {
            var all = ByteBufferAllocator().buffer(capacity: count + framing)
            all.writeString(start)
            all.writeImmutableBuffer(prefix)
            all.writeImmutableBuffer(message.head)
            for piece in message.tail { all.writeImmutableBuffer(piece) }
            all.writeImmutableBuffer(suffix)
            return MessageBytes(all)
        }
        var first = ByteBufferAllocator().buffer(capacity: start.utf8.count + prefix.readableBytes)
        first.writeString(start)
        first.writeImmutableBuffer(prefix)
        return MessageBytes(first, tail: [message.head] + message.tail + [suffix])
    }

    /// The message inside an event that was made here.
    static func message(in event: MessageBytes) -> MessageBytes {
        guard event.tail.isEmpty else {
            return MessageBytes(event.tail[0], tail: Array(event.tail.dropFirst().dropLast()))
        }
        // The prefix is the first thing behind the id's line, and the id holds no line break.
        var bytes = event.head
        if !bytes.readableBytesView.starts(with: prefix.readableBytesView) {
            let line = bytes.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.readerIndex
            bytes.moveReaderIndex(to: line + 1)
        }
        let start = bytes.readerIndex + prefix.readableBytes
        let count = bytes.readableBytes - prefix.readableBytes - suffix.readableBytes
        return MessageBytes(bytes.getSlice(at: start, length: count) ?? bytes)
    }

    /// The first event of the 2024-11-05 transport: where the client sends its messages, a relative reference.
    static func endpoint(_ reference: String) -> ByteBuffer {
        ByteBuffer(string: "event: endpoint\ndata: \(reference)\n\n")
    }
}
