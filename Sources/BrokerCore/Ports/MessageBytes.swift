// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// The bytes of one JSON-RPC message on its way through the relay, in one piece or several.
///
/// It is not a parsed message, and ends in a newline only where `isLine` says so: each wire adds its own framing. Small messages are
/// one piece; large ones stay slices of what came in, so that they are written with gathered writes and never copied
/// together.
package struct MessageBytes: Sendable, Equatable {
    /// Up to this many bytes a spliced message is copied into one piece, which is cheaper than a gathered write.
    package static let copyLimit = 16 * 1024

    /// The first piece, most often the only one.
    package private(set) var head: ByteBuffer
    /// What follows the first piece.
    package private(set) var tail: [ByteBuffer]
    /// Whether the bytes end in the newline of a line-framed wire already, which saves such a wire a write.
    package let isLine: Bool

    package init(_ head: ByteBuffer, tail: [ByteBuffer] = [], isLine: Bool = false) {
        self.head = head
        self.tail = tail
        self.isLine = isLine
    }

    package init(bytes: [UInt8]) {
        self.init(ByteBuffer(bytes: bytes))
    }

    /// The length of the whole message in bytes.
    package var count: Int {
        tail.reduce(head.readableBytes) { $0 + $1.readableBytes }
    }

    /// Adds a piece at the end.
    package mutating func append(_ piece: ByteBuffer) {
        guard piece.readableBytes > 0 else { return }
        tail.append(piece)
    }

    /// The message in one piece; copies where it was in several.
    package func joined() -> ByteBuffer {
        guard !tail.isEmpty else { return head }
        var all = ByteBufferAllocator().buffer(capacity: count)
        all.writeImmutableBuffer(head)
        for piece in tail { all.writeImmutableBuffer(piece) }
        return all
    }
}
