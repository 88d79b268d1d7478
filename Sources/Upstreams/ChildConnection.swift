// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
import NIOCore

/// The pipes to one running child: messages out, one a line.
///
/// It does not own the process. What the child does not read is held up to the channel's high water mark; then a
/// message is refused instead of being held as well.
package final class ChildConnection: UpstreamConnection {
    /// How much is held for a child that does not read, in bytes.
    static let heldLimit = 64 * 1024 * 1024

    private static let newline = ByteBuffer(integer: UInt8(ascii: "\n"))

    private let channel: any Channel

    init(channel: any Channel) { self.channel = channel }

    package func send(_ message: MessageBytes) -> Bool {
        guard channel.isActive else { return true }
        guard channel.isWritable else { return false }
        if message.isLine, message.tail.isEmpty {
            channel.writeAndFlush(message.head, promise: nil)
            return true
        }
        channel.write(message.head, promise: nil)
        for piece in message.tail { channel.write(piece, promise: nil) }
        if !message.isLine { channel.write(Self.newline, promise: nil) }
        channel.flush()
        return true
    }

    /// Asks the child to end by closing its standard input (MCP 2025-11-25, lifecycle, shutdown).
    func closeInput() { channel.close(mode: .output, promise: nil) }

    func close() { channel.close(promise: nil) }
}
