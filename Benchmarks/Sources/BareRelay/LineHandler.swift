// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore

/// The child's end: cuts what it writes into lines and hands each to the queue, without its newline.
///
/// A long line is searched once: the scan goes on where it stopped. Bytes are held until their line is whole.
final class LineHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let queue: AnswerQueue
    private var held: ByteBuffer?
    private var searched = 0

    init(queue: AnswerQueue) {
        self.queue = queue
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var part = unwrapInboundIn(data)
        var bytes: ByteBuffer
        if var joined = held {
            held = nil
            joined.writeBuffer(&part)
            bytes = joined
        } else {
            bytes = part
        }
        while let end = newline(in: bytes) {
            guard let line = bytes.readSlice(length: end) else { return }
            bytes.moveReaderIndex(forwardBy: 1)
            searched = 0
            queue.answer(line)
        }
        searched = bytes.readableBytes
        if bytes.readableBytes > 0 { held = bytes }
    }

    func channelInactive(context: ChannelHandlerContext) {
        // A bare relay has no second child: without one there is nothing to measure.
        exit(0)
    }

    /// How far the next newline is from the reader index.
    private func newline(in bytes: ByteBuffer) -> Int? {
        let rest = bytes.readableBytesView.dropFirst(searched)
        return rest.firstIndex(of: UInt8(ascii: "\n")).map { $0 - bytes.readerIndex }
    }
}
