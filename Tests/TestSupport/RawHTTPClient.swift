// SPDX-License-Identifier: Apache-2.0
package import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A client of HTTP/1.1 that writes bytes as a test gives them, and shows how the server frames what it answers.
///
/// One object is one connection, used by one task at a time. It never retries, pipelines only what it is told to, and
/// every wait has a limit. It does not close by itself: `close()`, `reset()`, or ``withConnection(to:group:limit:_:)``.
package final class RawHTTPClient: Sendable {
    /// Where a server listens.
    package enum Address: Sendable {
        case tcp(host: String, port: Int)
        case unix(path: String)
    }

    private let channel: any Channel
    private let inbox: ByteInbox
    private let reader: ReaderBox
    private let limit: TimeAmount

    /// What is read but not handed out; touched by the one task that uses the connection.
    private actor ReaderBox {
        var parser = HTTPResponseParser()
        var events = ""
        var streamEnded = false

        func next(isClosed: Bool) throws(RawHTTPError) -> HTTPResponseParser.Piece? {
            try parser.next(isClosed: isClosed)
        }
        func feed(_ bytes: [UInt8]) { parser.feed(bytes) }
        func append(_ text: String) { events += text }
        func setEnded(_ ended: Bool) { streamEnded = ended }
        func takeEvent() -> RawEvent? {
            guard let end = events.firstRange(of: "\n\n") else { return nil }
            let event = RawEvent(block: events[..<end.lowerBound])
            events = String(events[end.upperBound...])
            return event
        }
    }

    private init(channel: any Channel, inbox: ByteInbox, limit: TimeAmount) {
        self.channel = channel
        self.inbox = inbox
        self.limit = limit
        reader = ReaderBox()
    }

    /// Connects; every later wait for bytes ends after `limit`.
    package static func connect(
        to address: Address, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        limit: TimeAmount = .seconds(10)
    ) async throws -> RawHTTPClient {
        let inbox = ByteInbox()
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(limit)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(InboxHandler(inbox: inbox))
                }
            }
        let channel =
            switch address {
            case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
            case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
            }
        return RawHTTPClient(channel: channel, inbox: inbox, limit: limit)
    }

    /// Connects, and closes the connection when the body is over, whatever happens in it.
    package static func withConnection<Result: Sendable>(
        to address: Address, group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        limit: TimeAmount = .seconds(10), _ body: (RawHTTPClient) async throws -> Result
    ) async throws -> Result {
        let client = try await connect(to: address, group: group, limit: limit)
        do {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }

    // MARK: Sending

    package func send(_ text: String) async throws { try await send(ByteBuffer(string: text)) }

    package func send(_ bytes: ByteBuffer) async throws { try await channel.writeAndFlush(bytes) }

    /// Sends the end of this side's bytes; the connection can still be read.
    package func finishSending() async throws { try await channel.close(mode: .output) }

    /// Whether bytes are taken from the network at all; off, the server sees a client that does not read.
    package func setReading(_ isReading: Bool) async throws {
        try await channel.setOption(.autoRead, value: isReading).get()
        if isReading { channel.read() }
    }

    // MARK: Receiving

    /// Reads one whole response, whatever its framing; informational ones count as responses.
    package func response() async throws -> RawHTTPResponse {
        var response = try await head()
        while true {
            switch try await piece("the body of a response") {
            case .head: throw RawHTTPError.malformed("a head inside a body")
            case .body(let bytes): response.body += bytes
            case .end: return response
            }
        }
    }

    /// Reads the head of a response whose body is then read by ``event()`` or ``body()``.
    package func head() async throws -> RawHTTPResponse {
        guard case .head(let status, let headers) = try await piece("the head of a response") else {
            throw RawHTTPError.malformed("a body without a head")
        }
        await reader.setEnded(false)
        return RawHTTPResponse(status: status, headers: headers, body: [])
    }

    /// Reads the next event or comment of an event stream; nil at the stream's end.
    package func event() async throws -> RawEvent? {
        while true {
            if let event = await reader.takeEvent() { return event }
            if await reader.streamEnded { return nil }
            switch try await piece("an event") {
            case .head: throw RawHTTPError.malformed("a head inside a stream")
            case .body(let bytes): await reader.append(String(decoding: bytes, as: UTF8.self))
            case .end: await reader.setEnded(true)
            }
        }
    }

    /// Reads the next event with a message in it; nil at the stream's end. Other events do not make the wait longer.
    package func message() async throws -> RawEvent? {
        let deadline = ContinuousClock.now + .nanoseconds(limit.nanoseconds)
        while let event = try await event() {
            if event.data?.isEmpty == false { return event }
            guard ContinuousClock.now < deadline else { throw RawHTTPError.timedOut(waitingFor: "a message") }
        }
        return nil
    }

    /// Reads more of a body as it comes, whatever it is; nil at its end.
    package func body() async throws -> [UInt8]? {
        switch try await piece("more of a body") {
        case .head: throw RawHTTPError.malformed("a head inside a body")
        case .body(let bytes): bytes
        case .end: nil
        }
    }

    /// Waits until the server has closed the connection; what it sends before is thrown away.
    package func closed() async throws {
        while try await inbox.next(within: limit, waitingFor: "the end of the connection") != nil {}
    }

    private func piece(_ what: String) async throws -> HTTPResponseParser.Piece {
        while true {
            if let piece = try await reader.next(isClosed: false) { return piece }
            guard let bytes = try await inbox.next(within: limit, waitingFor: what) else {
                if let piece = try await reader.next(isClosed: true) { return piece }
                throw RawHTTPError.closed(waitingFor: what)
            }
            await reader.feed(bytes)
        }
    }

    // MARK: Ending

    /// Closes the connection in good order; without effect on a closed one.
    package func close() async {
        // A connection that the other side closed first is closed all the same.
        try? await channel.close()
    }

    /// Breaks the connection with a reset, as a client that was killed does (SO_LINGER of zero).
    package func reset() async throws {
        guard let socket = channel as? any SocketOptionProvider else { throw RawHTTPError.noSocket }
        try await socket.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        await close()
    }
}
