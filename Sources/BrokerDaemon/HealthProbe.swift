// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import NIOPosix

/// One GET to a broker's health endpoint; it needs no token and follows nothing.
package struct HealthProbe: Sendable {
    package let host: String
    package let port: Int
    package let path: String

    package init(host: String, port: Int, path: String) {
        self.host = host
        self.port = port
        self.path = path
    }

    /// The status of the answer; nil when there was none in time.
    package func ask(within duration: Duration) async -> Int? {
        let limit = TimeAmount(duration)
        let answer = try? await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(limit)
            .channelInitializer { channel in channel.pipeline.addHTTPClientHandlers() }
            .connect(host: host, port: port)
            .flatMap { channel in
                let promise = channel.eventLoop.makePromise(of: Int.self)
                let deadline = channel.eventLoop.scheduleTask(in: limit) {
                    promise.fail(ChannelError.connectTimeout(limit))
                }
                promise.futureResult.whenComplete { _ in
                    deadline.cancel()
                    channel.close(promise: nil)
                }
                return channel.eventLoop.submit {
                    try channel.pipeline.syncOperations.addHandler(StatusHandler(promise))
                    var head = HTTPRequestHead(version: .http1_1, method: .GET, uri: path)
                    head.headers.add(name: "host", value: "127.0.0.1")
                    head.headers.add(name: "connection", value: "close")
                    channel.write(HTTPClientRequestPart.head(head), promise: nil)
                    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
                }.flatMap { promise.futureResult }
            }.get()
        return answer
    }

    private final class StatusHandler: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        private let promise: EventLoopPromise<Int>

        init(_ promise: EventLoopPromise<Int>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            if case .head(let head) = unwrapInboundIn(data) { promise.succeed(Int(head.status.code)) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
        func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.ioOnClosedChannel) }
    }
}
