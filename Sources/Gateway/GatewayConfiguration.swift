// SPDX-License-Identifier: Apache-2.0
package import NIOCore

/// What the HTTP surface of one broker can be told; every limit has its default here and nowhere else.
package struct GatewayConfiguration: Sendable {
    /// Where the gateway listens.
    package enum Listen: Sendable, Hashable {
        /// Port 0 takes a free one, which `onBound` reports.
        case tcp(host: String, port: Int)
        /// A socket file, made readable and writable for its owner only. A socket already there is replaced, so a
        /// caller that must not take over a running broker's place asks it first.
        case unix(path: String)
    }

    package var listen: Listen
    /// The server behind `/mcp`; nil means the only one, where there is only one.
    package var defaultServer: String?
    /// A further path of the default server, beside `/mcp`.
    package var defaultPath: String?
    /// Further names of servers in paths: `/servers/<alias>/mcp` is that server's endpoint too.
    package var aliases: [String: String] = [:]
    package var hosts: HostRule
    package var origins: OriginRule
    /// The response headers that pages of an allowed origin may read.
    package var exposedHeaders = ["Mcp-Session-Id"]
    /// Whether `/healthz` says what `/readyz` says: that the servers can be used, not that the broker lives.
    package var healthIsReadiness = false
    /// Whether `Accept`, `Content-Type` and `MCP-Protocol-Version` of a message are not judged; a client that does not
    /// ask for event streams then never gets one.
    package var readsLeniently = false
    package var limits: GatewayLimits
    /// What `/metrics` says of the program and its process.
    package var version = ""
    package var process: @Sendable () -> ProcessFigures = { ProcessFigures() }

    package init(
        listen: Listen = .tcp(host: "127.0.0.1", port: 0), defaultServer: String? = nil, hosts: HostRule = .loopback,
        origins: OriginRule = .loopback, limits: GatewayLimits = GatewayLimits()
    ) {
        self.listen = listen
        self.defaultServer = defaultServer
        self.hosts = hosts
        self.origins = origins
        self.limits = limits
    }
}

/// The times and sizes within which one connection has to stay.
package struct GatewayLimits: Sendable {
    /// The longest request body, in bytes.
    package var requestBody = 4 << 20
    /// The most messages in one batch, because each may be answered with more bytes than it has.
    package var batchMessages = 256
    /// How long the head and body of a request may take to arrive, from its first byte.
    package var requestArrival = TimeAmount.seconds(30)
    /// How long a new connection may take to bring its first request.
    package var newConnection = TimeAmount.seconds(30)
    /// How long a connection may stay open between two requests.
    package var idle = TimeAmount.minutes(5)
    /// When an answer that has not come is announced by an event stream.
    package var becomesStreamAfter = TimeAmount.seconds(15)
    /// How often a comment is written to an event stream that is otherwise silent.
    package var keepAlive = TimeAmount.seconds(15)
    /// How long a client may take nothing of what is written to it.
    package var writeStall = TimeAmount.seconds(60)
    /// How many bytes are held for a client that reads slowly; one message alone may be longer.
    package var heldForClient = 64 << 20
    /// How long a stream is kept whose client has left, and what of it: its last events, by number and by bytes.
    package var replayFor = TimeAmount.seconds(60)
    package var replayEvents = 256
    package var replayBytes = 1 << 20
    /// How many ended streams a session keeps, and how many bytes all streams of the gateway do.
    package var replayStreams = 32
    package var replayBytesInAll = 64 << 20
    /// How many streams of the 2024-11-05 transport may be open.
    package var transportSessions = 10_000
    /// How much a session's own stream may be behind, in bytes and in messages.
    package var streamBacklogBytes = 1 << 20
    package var streamBacklogMessages = 1024
    /// How many bytes of later requests on a connection are held while one is being answered.
    package var heldRequests = 64 << 10
    /// How much of a refused request is read before its connection is closed, in bytes and in time.
    package var drainedBytes = 16 << 20
    package var drainedFor = TimeAmount.seconds(5)
    /// How long calls in flight may go on once the gateway shuts down.
    package var shutdownGrace = TimeAmount.seconds(2)

    package init() {}
}
