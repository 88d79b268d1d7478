// SPDX-License-Identifier: Apache-2.0
import Logging
import NIOCore
import NIOHTTP1

/// Puts the ``RelayHandler`` into Hummingbird's pipeline, directly behind the parser of HTTP/1.
///
/// Hummingbird lets handlers in behind its conversion to its own HTTP types only. There the version of HTTP and repeated
/// Host headers are lost already, and the conversion costs more than the relaying.
final class RelayInstaller: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any

    private let core: GatewayCore

    init(core: GatewayCore) { self.core = core }

    func handlerAdded(context: ChannelHandlerContext) {
        do {
            let pipeline = context.pipeline.syncOperations
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let relay = RelayHandler(core: core)
            try pipeline.addHandler(relay, position: .after(parser))
            try pipeline.addHandler(ArrivalHandler(relay: relay), position: .before(parser))
        } catch {
            core.logger.error("connection refused: no HTTP parser in its pipeline", metadata: ["error": "\(error)"])
            context.close(promise: nil)
        }
    }
}

/// Tells the ``RelayHandler`` of bytes that its parser has not turned into a request yet.
///
/// Without it, a head that arrives byte by byte would look like a connection that waits for its next request.
private final class ArrivalHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let relay: RelayHandler

    init(relay: RelayHandler) { self.relay = relay }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        relay.bytesArrived()
        context.fireChannelRead(data)
    }
}
