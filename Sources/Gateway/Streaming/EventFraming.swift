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

    /// A message as an event; a small one is copied into one piece, the pieces of a large one are not copied.
    static func event(_ message: MessageBytes) -> MessageBytes {
        let count = message.count
        guard count > MessageBytes.copyLimit else {
            var all = ByteBufferAllocator().buffer(capacity: count + prefix.readableBytes + suffix.readableBytes)
            all.writeImmutableBuffer(prefix)
            all.writeImmutableBuffer(message.head)
            for piece in message.tail { all.writeImmutableBuffer(piece) }
            all.writeImmutableBuffer(suffix)
            return MessageBytes(all)
        }
        return MessageBytes(prefix, tail: [message.head] + message.tail + [suffix])
    }

    /// The first event of the 2024-11-05 transport: where the client sends its messages, a relative reference.
    static func endpoint(_ reference: String) -> ByteBuffer {
        ByteBuffer(string: "event: endpoint\ndata: \(reference)\n\n")
    }
}
