// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOPosix
import Synchronization

/// An HTTP/1.1 server whose answers a test writes byte by byte, however wrong they are.
///
/// Each request is handed to the test's script with the connection that it came on. The script answers on it, or not at
/// all. The server lives in ``with(_:_:)`` and closes every connection at its end.
package final class ScriptedServer: Sendable {
    /// A request as it stood on the wire.
    package struct Request: Sendable {
        package let method: String
        package let path: String
        package let headers: [RawHTTPResponse.Header]
        package let body: String
        /// Counts the requests of the server, from 1.
        package let number: Int

        /// The value of a header; nil where it is not there.
        package subscript(name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    /// The connection that a request came on.
    package struct Answer: Sendable {
        fileprivate let channel: any Channel

        /// Writes bytes as they are.
        package func send(_ text: String) {
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        }

        /// Closes the connection, once what was written is out.
        package func close() { channel.close(promise: nil) }

        /// Tells when the connection is closed, by either side.
        package func whenClosed(_ body: @escaping @Sendable () -> Void) {
            channel.closeFuture.whenComplete { _ in body() }
        }

        /// A whole response.
        package func respond(_ status: Int, _ headers: [String: String] = [:], _ body: String = "") {
            var text = "HTTP/1.1 \(status) X\r\ncontent-length: \(body.utf8.count)\r\n"
            for (name, value) in headers.sorted(by: { $0.key < $1.key }) { text += "\(name): \(value)\r\n" }
            send(text + "\r\n" + body)
        }

        /// A JSON body.
        package func json(_ body: String, _ headers: [String: String] = [:]) {
            respond(200, headers.merging(["content-type": "application/json"]) { old, _ in old }, body)
        }

        /// The head of an event stream, which ends with the connection.
        package func openStream(_ headers: [String: String] = [:]) {
            var text = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n"
            for (name, value) in headers { text += "\(name): \(value)\r\n" }
            send(text + "\r\n")
        }

        /// An event of an open stream.
        package func event(_ data: String, id: String? = nil, type: String? = nil) {
            send((id.map { "id: \($0)\n" } ?? "") + (type.map { "event: \($0)\n" } ?? "") + "data: \(data)\n\n")
        }
    }

    package let port: Int
    private let seen = Mutex<[Request]>([])

    /// The requests so far.
    package var requests: [Request] { seen.withLock { $0 } }
    package var url: String { "http://127.0.0.1:\(port)" }

    private init(port: Int) { self.port = port }

    /// Serves on a free port of 127.0.0.1 while the body runs.
    package static func with<Result: Sendable>(
        _ script: @escaping @Sendable (Request, Answer) -> Void,
        _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let late = Mutex<ScriptedServer?>(nil)
        let children = Mutex<[any Channel]>([])
        // One thread, so that what comes first is also seen first.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let listener = try await ServerBootstrap(group: group)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                children.withLock { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        RequestReader { request in
                            let count = late.withLock { $0 }?.note(request) ?? 0
                            script(request.numbered(count), Answer(channel: channel))
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(port: listener.localAddress?.port ?? 0)
        late.withLock { $0 = server }
        func end() async {
            // What is closed already is closed all the same.
            try? await listener.close()
            for channel in children.withLock({ $0 }) { try? await channel.close() }
            try? await group.shutdownGracefully()
        }
        do {
            let result = try await body(server)
            await end()
            return result
        } catch {
            await end()
            throw error
        }
    }

    private func note(_ request: Request) -> Int {
        seen.withLock { seen in
            seen.append(request.numbered(seen.count + 1))
            return seen.count
        }
    }
}

extension ScriptedServer.Request {
    fileprivate func numbered(_ number: Int) -> Self {
        Self(method: method, path: path, headers: headers, body: body, number: number)
    }
}

/// Cuts a connection into requests; their bodies have a length, as clients of this project send them.
private final class RequestReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let take: @Sendable (ScriptedServer.Request) -> Void
    private var bytes: [UInt8] = []

    init(_ take: @escaping @Sendable (ScriptedServer.Request) -> Void) { self.take = take }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes += Array(buffer: unwrapInboundIn(data))
        while let request = next() { take(request) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func next() -> ScriptedServer.Request? {
        let mark = Array("\r\n\r\n".utf8)
        guard let end = bytes.firstRange(of: mark) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ").map(String.init)
        let headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1)
            let value = (parts.count > 1 ? parts[1] : "").drop { $0 == " " }
            return RawHTTPResponse.Header(name: String(parts.first ?? ""), value: String(value))
        }
        let length = headers.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        guard bytes.count - end.upperBound >= length, words.count == 3 else { return nil }
        let body = String(decoding: bytes[end.upperBound..<(end.upperBound + length)], as: UTF8.self)
        bytes.removeFirst(end.upperBound + length)
        return ScriptedServer.Request(method: words[0], path: words[1], headers: headers, body: body, number: 0)
    }
}
