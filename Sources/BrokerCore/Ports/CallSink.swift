// SPDX-License-Identifier: Apache-2.0

/// Where the messages that belong to one client request go.
///
/// The Gateway implements it, one object for each POST. It is not a stream of the session: what belongs to no request
/// goes to a ``StreamSink``. Both functions may be called from any thread, outside every lock of the core, and in the
/// order in which the client shall see the messages.
package protocol CallSink: AnyObject, Sendable {
    /// Whether the client takes messages beside the answer on this exchange.
    var acceptsStream: Bool { get }
    /// Whether the client has left this exchange and may come back, so that a message for it is kept for a while.
    var keepsMessages: Bool { get }
    /// Hands over a message that is not the answer: progress, a log line, a request of the server.
    func deliver(_ message: MessageBytes)
    /// Hands over the answer to one request; nothing that belongs to that request follows.
    func finish(_ answer: Answer)
}

extension CallSink {
    package var keepsMessages: Bool { false }
}

/// The end of one client request, as the transport has to tell it.
package enum Answer: Sendable, Equatable {
    /// A JSON-RPC response, of the server or of Lodge, for a client that has its session.
    case message(MessageBytes)
    /// A JSON-RPC error that answers a modern request, with its code, from which the transport takes its status.
    case failed(MessageBytes, code: Int)
    /// The response to `initialize` that opened a session, with the session's id.
    case opened(MessageBytes, session: String)
    /// A refusal because the server cannot be reached now: of `initialize` always, of a call where the server's
    /// configuration wants it told by the transport; `retryAfter` is in seconds.
    case unavailable(MessageBytes, retryAfter: Int)
    /// A refusal because the session is not known, or no longer.
    case unknownSession(MessageBytes)

    /// The bytes of the JSON-RPC response, whatever the outcome.
    package var bytes: MessageBytes {
        switch self {
        case .message(let bytes), .failed(let bytes, _), .opened(let bytes, _), .unavailable(let bytes, _),
            .unknownSession(let bytes):
            bytes
        }
    }
}

/// A session's own stream to its client: the GET stream of Streamable HTTP.
///
/// The Gateway implements it. Calls come from any thread and never block; the sink bounds what it holds.
package protocol StreamSink: AnyObject, Sendable {
    /// Hands over a message; false when the stream is closed or so far behind that it had to be closed.
    func deliver(_ message: MessageBytes) -> Bool
    /// Ends the stream; idempotent.
    func close()
}
