// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
import NIOCore
import Synchronization

/// The pipes to one running child: messages out, one a line.
///
/// It does not own the process. What the child does not read is held up to the channel's high water mark; then a
/// message is refused instead of being held as well. Messages are flushed once at the end of the event loop's turn, so
/// that the calls of many clients which came in the same turn are one write, and one wake-up of the child.
package final class ChildConnection: UpstreamConnection {
    /// How much is held for a child that does not read, in bytes.
    static let heldLimit = 64 * 1024 * 1024

    private static let newline = ByteBuffer(integer: UInt8(ascii: "\n"))

    private let channel: any Channel
    private let loop: any EventLoop
    /// Whether a flush is on its way.
    private let isFlushing = Atomic(false)

    init(channel: any Channel) {
        self.channel = channel
        loop = channel.eventLoop
    }

    package func send(_ message: MessageBytes) -> Bool {
        guard channel.isActive else { return true }
        guard channel.isWritable else { return false }
        channel.write(message.head, promise: nil)
        for piece in message.tail { channel.write(piece, promise: nil) }
        if !(message.isLine && message.tail.isEmpty) { channel.write(Self.newline, promise: nil) }
        if !isFlushing.exchange(true, ordering: .acquiringAndReleasing) {
            loop.execute { [self] in
                isFlushing.store(false, ordering: .releasing)
                // In the next turn: a sender that still saw the flag has only queued its write by now, and this flush
                // would come before it.
                loop.execute { [self] in channel.flush() }
            }
        }
        return true
    }

    /// Asks the child to end by closing its standard input (MCP 2025-11-25, lifecycle, shutdown).
    func closeInput() { channel.close(mode: .output, promise: nil) }

    func close() { channel.close(promise: nil) }
}
