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

    /// The pieces of one event; small messages are copied into one piece, large ones are not copied.
    static func pieces(of message: MessageBytes, allocator: ByteBufferAllocator) -> [ByteBuffer] {
        let count = message.count
        guard count > MessageBytes.copyLimit else {
            var all = allocator.buffer(capacity: count + prefix.readableBytes + suffix.readableBytes)
            all.writeImmutableBuffer(prefix)
            all.writeImmutableBuffer(message.head)
            for piece in message.tail { all.writeImmutableBuffer(piece) }
            all.writeImmutableBuffer(suffix)
            return [all]
        }
        return [prefix, message.head] + message.tail + [suffix]
    }
}
