// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// Cuts a child's standard output into lines and hands each to its reader, on the channel's event loop.
///
/// A line that came in one piece is a slice of what was read; others are put together once. A line over the limit is
/// scanned on without being kept.
final class ChildOutputHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let reader: ChildLineReader
    private let ended: @Sendable () -> Void
    private var framer: LineFramer
    /// The beginning of a line whose end has not come.
    private var partial: ByteBuffer?
    private var oversize: OversizeScanner?

    init(reader: ChildLineReader, lineLimit: Int, ended: @escaping @Sendable () -> Void) {
        self.reader = reader
        self.ended = ended
        framer = LineFramer(limit: lineLimit)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let chunk = unwrapInboundIn(data)
        let bytes = chunk.readableBytesUInt8Span
        var offset = 0
        while let part = framer.next(in: bytes, from: &offset) {
            switch part {
            case .line(let range): line(chunk, range)
            case .fragment(let range): keep(chunk, range)
            case .overflow(let range): passBy(bytes, range)
            case .overflowEnd(let range):
                passBy(bytes, range)
                if let findings = oversize?.finish() { reader.oversized(findings) }
                oversize = nil
            }
        }
    }

    private func line(_ chunk: ByteBuffer, _ range: Range<Int>) {
        guard let slice = chunk.getSlice(at: chunk.readerIndex + range.lowerBound, length: range.count) else { return }
        guard var whole = partial.take() else { return reader.line(slice) }
        whole.writeImmutableBuffer(slice)
        reader.line(whole)
    }

    private func keep(_ chunk: ByteBuffer, _ range: Range<Int>) {
        guard let slice = chunk.getSlice(at: chunk.readerIndex + range.lowerBound, length: range.count) else { return }
        // Moved out and in again, so that the buffer stays the only owner of its memory and is not copied.
        var whole = partial.take() ?? ByteBuffer()
        whole.writeImmutableBuffer(slice)
        partial = whole
    }

    private func passBy(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        var scanner = oversize ?? OversizeScanner()
        if let kept = partial.take() { scanner.consume(kept.readableBytesUInt8Span) }
        scanner.consume(bytes.extracting(range))
        oversize = scanner
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { finish() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A pipe that cannot be written to any more: the child closed its input or is gone. Its end tells the rest.
        context.close(promise: nil)
    }

    /// A last line without a line feed is a line if it is whole; else the child ended within it.
    private func finish() {
        if framer.finish() == .withinLine, let rest = partial.take() { reader.lastLine(rest) }
        ended()
    }
}
