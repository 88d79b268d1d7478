// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Dispatch
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import Testing

@testable import Upstreams

@Suite("The connection to a child", .timeLimit(.minutes(1)))
struct ChildConnectionTests {
    private let recorder = WriteRecorder()

    private func embedded() throws -> EmbeddedChannel {
        let channel = EmbeddedChannel(handler: recorder)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        return channel
    }

    @Test("what is sent in one turn is one flush, in order, a message a line")
    func oneFlush() throws {
        let channel = try embedded()
        let connection = ChildConnection(channel: channel)
        for number in 1...3 { #expect(connection.send(MessageBytes(ByteBuffer(string: "\(number)")))) }
        #expect(recorder.flushes.isEmpty)
        channel.embeddedEventLoop.run()
        #expect(recorder.flushes == ["1\n2\n3\n"])
        #expect(recorder.unflushed.isEmpty)
    }

    @Test("a message that is a line already gets no second line feed, one in pieces gets one")
    func framing() throws {
        let channel = try embedded()
        let connection = ChildConnection(channel: channel)
        #expect(connection.send(MessageBytes(ByteBuffer(string: "line\n"), isLine: true)))
        #expect(connection.send(MessageBytes(ByteBuffer(string: "in "), tail: [ByteBuffer(string: "pieces")])))
        channel.embeddedEventLoop.run()
        #expect(recorder.flushes == ["line\nin pieces\n"])
    }

    @Test("messages of another thread, sent while a flush is on its way, are flushed as well")
    func flushOnItsWay() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let channel = try await DatagramBootstrap(group: group)
            .channelInitializer { [recorder] channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(recorder) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let connection = ChildConnection(channel: channel)
        let gate = DispatchSemaphore(value: 0)
        channel.eventLoop.execute { gate.wait() }
        for number in 1...3 { #expect(connection.send(MessageBytes(ByteBuffer(string: "\(number)")))) }
        gate.signal()
        // A turn for the writes and what they queue, and one for what that queues.
        for _ in 1...2 { try await channel.eventLoop.submit {}.get() }
        #expect(recorder.flushes.joined() == "1\n2\n3\n")
        #expect(recorder.unflushed.isEmpty)
        try await channel.close()
        try await group.shutdownGracefully()
    }

    @Test("a message is refused where the child does not read")
    func notReading() throws {
        let channel = try embedded()
        channel.isWritable = false
        #expect(!ChildConnection(channel: channel).send(MessageBytes(ByteBuffer(string: "1"))))
        channel.embeddedEventLoop.run()
        #expect(recorder.flushes.isEmpty)
        #expect(recorder.unflushed.isEmpty)
    }

    @Test("a message to a child that ended is dropped, since its end is told elsewhere")
    func ended() throws {
        let channel = try embedded()
        let connection = ChildConnection(channel: channel)
        connection.close()
        channel.embeddedEventLoop.run()
        #expect(connection.send(MessageBytes(ByteBuffer(string: "1"))))
        #expect(recorder.unflushed.isEmpty)
    }
}

/// Keeps what is written, by flush, and passes none of it on.
private final class WriteRecorder: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = ByteBuffer

    private let state = Mutex((flushes: [String](), unflushed: ""))

    var flushes: [String] { state.withLock { $0.flushes } }
    var unflushed: String { state.withLock { $0.unflushed } }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let text = String(buffer: unwrapOutboundIn(data))
        state.withLock { $0.unflushed += text }
        promise?.succeed()
    }

    func flush(context: ChannelHandlerContext) {
        state.withLock { state in
            state.flushes.append(state.unflushed)
            state.unflushed = ""
        }
    }
}
