// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1

/// One HTTP connection: the body of each request becomes one line to the child, its line becomes a 200 with JSON.
///
/// Not an MCP endpoint: no sessions, no tokens, no check of path, method or headers.
final class RelayHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let queue: AnswerQueue
    private var context: ChannelHandlerContext?
    private var body: ByteBuffer?

    init(queue: AnswerQueue) {
        self.queue = queue
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            body = nil
        case .body(var part):
            if body == nil { body = part } else { body?.writeBuffer(&part) }
        case .end:
            var line = body ?? ByteBuffer()
            body = nil
            line.writeInteger(UInt8(ascii: "\n"))
            queue.send(line, for: self)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func answer(_ line: ByteBuffer) {
        guard let context else { return }
        let headers: HTTPHeaders = [
            "content-type": "application/json", "content-length": String(line.readableBytes),
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(line))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
