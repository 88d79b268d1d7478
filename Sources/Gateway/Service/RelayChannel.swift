// SPDX-License-Identifier: Apache-2.0
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// A connection of Hummingbird's server with the ``RelayHandler`` in front of everything that Hummingbird does.
///
/// The relay stands directly behind the parser of HTTP/1. Hummingbird's own place for more handlers is behind the
/// conversion to its HTTP types: there the version of HTTP and repeated Host headers are lost already, and the
/// conversion costs more than the relaying.
struct RelayChannel: ServerChildChannel {
    /// A connection, and when it is Hummingbird's turn.
    struct Value: ServerChildChannelValue {
        let http1: HTTP1Channel.Value
        let routing: FirstRouting
        var channel: any Channel { http1.channel }
    }

    private let core: GatewayCore
    private let http1: HTTP1Channel

    init(core: GatewayCore, responder: @escaping HTTPChannelHandler.Responder) {
        self.core = core
        http1 = HTTP1Channel(responder: responder)
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        let core = core
        return http1.setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            let routing = FirstRouting()
            let relay = RelayHandler(core: core, routing: routing)
            relay.encoderContext = try pipeline.context(handlerType: HTTPResponseEncoder.self)
            try pipeline.addHandler(relay, position: .after(parser))
            try pipeline.addHandler(ArrivalHandler(relay: relay), position: .before(parser))
            // A connection that is accepted while the server shuts down is handed to nobody. Its async channel must not
            // go away before the connection does: NIO takes that for a mistake and traps.
            channel.closeFuture.whenComplete { _ in withExtendedLifetime(value) {} }
            // The connection keeps a buffer of this size; the allocator grows it where that is too little.
            try channel.syncOptions?.setOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 64, initial: 512, maximum: 65_536))
            return Value(http1: value, routing: routing)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await value.routing.wait()
        await http1.handle(value: value.http1, logger: logger)
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
