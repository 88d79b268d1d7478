// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import Gateway

@Suite("Requests that come faster than they are answered")
struct BackpressureTests {
    /// Counts the reads that reach the network.
    private final class ReadCounter: ChannelOutboundHandler {
        typealias OutboundIn = HTTPServerResponsePart
        var reads = 0

        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
    }

    private let head = HTTPServerRequestPart.head(
        HTTPRequestHead(
            version: .http1_1, method: .POST, uri: "/mcp",
            headers: ["Host": "localhost", "Content-Type": "application/json", "Transfer-Encoding": "chunked"]))

    @Test("nothing more is read while 64 KiB of later requests are held, and reading goes on with the answer")
    func withheld() async throws {
        let relay = FakeRelay()
        let counter = ReadCounter()
        let core = GatewayCore(
            policy: RequestPolicy(hosts: .loopback, origins: .loopback, authentication: OpenAuthentication()),
            routes: RouteTable([relay]), limits: GatewayLimits(), meters: GatewayMeters(),
            logger: Logger(label: "gateway") { _ in SwiftLogNoOpLogHandler() })
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandlers([counter, RelayHandler(core: core)])
        let message = ByteBuffer(string: call(1))
        for part in [head, .body(message), .end(nil)] { try channel.writeInbound(part) }
        let first = await relay.nextCall()

        channel.read()
        #expect(counter.reads == 1)
        try channel.writeInbound(head)
        try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(repeating: 0x20, count: 64 << 10)))
        channel.read()
        channel.read()
        #expect(counter.reads == 1)

        first.answer()
        #expect(counter.reads == 2)
        channel.read()
        #expect(counter.reads == 3)
        #expect(relay.messages == [call(1)])
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
