// SPDX-License-Identifier: Apache-2.0
import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// What Lodge's relay is measured against: the least that SwiftNIO can do between HTTP and a child's pipes.
///
/// `BareRelay CHILD ARG…` starts the child, listens on a free loopback port, prints that port and relays until its
/// stdin or the child ends. One event loop carries everything, since a second one only adds hand-overs between threads;
/// NIO's HTTP pipeline is configured with its defaults.
@main
enum BareRelay {
    static func main() throws {
        let command = Array(CommandLine.arguments.dropFirst())
        guard !command.isEmpty else {
            print("usage: BareRelay CHILD ARG…")
            exit(2)
        }
        // A child that is gone shows itself by the end of its stdout, not by a signal.
        signal(SIGPIPE, SIG_IGN)
        let pipes = try ChildPipes.start(command)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let port = try loop.flatSubmit { start(on: loop, group: group, pipes: pipes) }.wait()
        // Written at once: print would keep it in a buffer when stdout is a pipe.
        let line = Array("\(port)\n".utf8)
        guard unsafe write(STDOUT_FILENO, line, line.count) == line.count else { exit(1) }
        while readLine() != nil {}
    }

    private static func start(
        on loop: any EventLoop, group: any EventLoopGroup, pipes: ChildPipes
    ) -> EventLoopFuture<Int> {
        let queue = NIOLoopBound(AnswerQueue(), eventLoop: loop)
        let child = NIOPipeBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(LineHandler(queue: queue.value))
                }
            }
            .takingOwnershipOfDescriptors(input: pipes.fromChild, output: pipes.toChild)
        return child.flatMap { child in
            queue.value.use(child)
            return ServerBootstrap(group: group)
                .serverChannelOption(.backlog, value: 256)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                        try channel.pipeline.syncOperations.addHandler(RelayHandler(queue: queue.value))
                    }
                }
                .bind(host: "127.0.0.1", port: 0)
        }.flatMapThrowing { server in
            guard let port = server.localAddress?.port else { throw ChannelError.unknownLocalAddress }
            return port
        }
    }
}
