// SPDX-License-Identifier: Apache-2.0
package import HTTPTransport
package import JSONRPC
package import NIOCore

/// An MCP server that is reached by HTTP: where it is, and what every request to it carries.
package struct RemoteServer: Sendable {
    /// How it wants to be spoken to.
    package enum Wire: String, Hashable, Sendable, CaseIterable {
        /// Streamable HTTP, unless the path ends in `/sse` or the first `initialize` is refused as an older server does.
        case auto
        /// Streamable HTTP, 2025-03-26 and later.
        case http
        /// HTTP+SSE, the transport of 2024-11-05.
        case sse
    }

    package var address: WebAddress
    package var wire: Wire
    package var fields: [HTTPField]

    package init(address: WebAddress, wire: Wire = .auto, fields: [HTTPField] = []) {
        self.address = address
        self.wire = wire
        self.fields = fields
    }
}

/// Limits of a conversation with a remote server.
package struct RemoteLimits: Sendable {
    /// The longest message, in bytes, either way.
    package var message: Int
    /// How long after the client's last line nothing may be said by either side before open calls are given up.
    package var grace: Duration = .seconds(5)
    /// How long a message waits for the one before it to be taken, so that the order in which they start is kept.
    package var order: Duration = .seconds(5)
    /// How long a new session may take, or the older transport's first event.
    package var handshake: Duration = .seconds(30)
    /// How long the goodbye to the server may take.
    package var goodbye: Duration = .seconds(1)
    /// The wait before a broken stream is opened again, where the server names none; doubled each time.
    package var reconnect: Duration = .seconds(1)

    package init(message: Int) { self.message = message }
}

/// What a client says, line by line.
package enum RemoteLine: Sendable {
    /// A line without its line feed.
    case line(ByteBuffer)
    /// A line over the limit, of which this is known.
    case tooLong(OversizeScanner.Findings)
}

/// Where messages for the client go.
package protocol RemoteOutput: Sendable {
    /// Writes one message, which holds no line breaks, as a line; returns once it was written.
    func write(_ message: ByteBuffer) async throws
    /// Lets what is being written end, but no longer than this.
    func finish(within limit: Duration)
}
