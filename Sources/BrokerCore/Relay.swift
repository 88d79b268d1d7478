// SPDX-License-Identifier: Apache-2.0
package import JSONRPC
package import MCPProtocol
package import NIOCore

/// One message of a client, scanned once, with what its transport knows about it.
///
/// It is a class because it is handed from layer to layer and kept while a server starts: a copy of the envelope at
/// each step costs more than one allocation.
package final class ClientMessage: Sendable {
    package let bytes: ByteBuffer
    package let envelope: Envelope
    /// The session that the client names, unverified.
    package let session: String?
    package let principal: Principal
    /// Whether the message stands alone: it opens no session, and belongs to none.
    package let isStateless: Bool
    /// The servers that the client's grant reaches, for an endpoint that stands for several.
    package let servers: Grant.Servers
    /// The `Mcp-Param-*` header fields that came with a modern request, in the order they came in.
    package let parameterFields: [ParameterField]
    /// What a modern request says of its client, where its transport has read it already.
    let metadata: RequestMetadata?
    /// The raw name that the server gets in place of `params.name`; nil leaves it as it is.
    let toolName: [UInt8]?

    package convenience init(
        bytes: ByteBuffer, envelope: Envelope, session: String?, principal: Principal, isStateless: Bool = false,
        servers: Grant.Servers = .all, parameterFields: [ParameterField] = [], metadata: RequestMetadata? = nil
    ) {
        self.init(
            bytes: bytes, envelope: envelope, session: session, principal: principal, isStateless: isStateless,
            servers: servers, parameterFields: parameterFields, metadata: metadata, toolName: nil)
    }

    private init(
        bytes: ByteBuffer, envelope: Envelope, session: String?, principal: Principal, isStateless: Bool,
        servers: Grant.Servers, parameterFields: [ParameterField],
        metadata: RequestMetadata?, toolName: [UInt8]?
    ) {
        self.bytes = bytes
        self.envelope = envelope
        self.session = session
        self.principal = principal
        self.isStateless = isStateless
        self.servers = servers
        self.parameterFields = parameterFields
        self.metadata = metadata
        self.toolName = toolName
    }

    /// The same call with another name for its tool; the bytes are shared.
    func calling(tool: String) -> ClientMessage {
        var raw: [UInt8] = []
        JSONString.encode(tool, into: &raw)
        return ClientMessage(
            bytes: bytes, envelope: envelope, session: session, principal: principal, isStateless: isStateless,
            servers: servers, parameterFields: parameterFields, metadata: metadata, toolName: raw)
    }

    /// Whether the message brings the metadata of the modern era with it, which makes it a modern one whatever else
    /// it says. A notification or a response is never modern: that era has no such messages over HTTP.
    package var isModern: Bool { envelope.kind == .request && envelope.hasModernMeta }
}

/// One `Mcp-Param-*` header field of a modern request: a copy of an argument (2026-07-28, Streamable HTTP).
package struct ParameterField: Hashable, Sendable {
    /// In lower case, with its prefix.
    package let name: String
    /// As it was written, without the white space around it.
    package let value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// What became of a client's message at once.
package enum Admission: Sendable {
    /// A request was taken; its answer comes through the sink, perhaps before this value was returned.
    case pending(CallTicket)
    /// A notification or a response was taken (HTTP 202).
    case accepted
    /// The message was refused; the bytes are the JSON-RPC error to send.
    case refused(Refusal, MessageBytes)
}

/// Why a message was refused before it could reach a server, as far as a transport has to tell the reasons apart.
package enum Refusal: Hashable, Sendable {
    /// The message is not one that this endpoint takes, or it names no session (HTTP 400).
    case invalid
    /// The session is unknown, has ended, or belongs to another principal (HTTP 404).
    case unknownSession
    /// The server cannot be initialized now (HTTP 503); `retryAfter` is in seconds.
    case unavailable(retryAfter: Int)
}

/// A client request under way; the transport keeps it to give the request up when its client leaves.
package struct CallTicket: Sendable {
    private let withdraw: @Sendable () -> Void

    package init(withdraw: @escaping @Sendable () -> Void) { self.withdraw = withdraw }

    /// Gives the request up: its entry is freed and the server is told; without effect once it was answered.
    package func abandon() { withdraw() }
}

/// One server as clients see it: what the Gateway relays to.
///
/// It is not an upstream: behind it stands one upstream for all clients or one for each, as its isolation says.
/// Every function may be called on an event loop and returns without waiting.
package protocol ServerRelay: AnyObject, Sendable {
    /// The server's name: a path, never more than 32 characters.
    var name: String { get }

    /// Whether the server's endpoint is served without sessions: each POST stands alone, and there is no other method.
    var isStateless: Bool { get }
    /// Whether a grant opens this endpoint; to any other client it does not exist.
    func isReached(by servers: Grant.Servers) -> Bool

    /// Takes one message of a client: a request, a notification or a response, never a batch.
    func receive(_ message: ClientMessage, sink: any CallSink) -> Admission

    /// The protocol version that a session negotiated; nil where the session is unknown to this principal.
    func protocolVersion(session: String, principal: Principal) -> String?

    /// Attaches a session's own stream, in place of an older one; false where the session is unknown.
    func openStream(_ sink: any StreamSink, session: String, principal: Principal) -> Bool
    /// Detaches a stream whose client has gone; without effect when another one has taken its place.
    func closeStream(_ sink: any StreamSink, session: String, principal: Principal)
    /// Detaches a stream whose client left at `time` and did not come back: it took `unseen` for that client meanwhile.
    func closeStream(
        _ sink: any StreamSink, session: String, principal: Principal, unseen: [MessageBytes],
        since time: ContinuousClock.Instant)
    /// Notes that a session's client still takes what we write, so that the session does not count as idle.
    func touch(session: String, principal: Principal)

    /// Ends a session at its client's wish; false where the session is unknown.
    func endSession(_ session: String, principal: Principal) -> Bool

    /// Whether the server has answered a round trip since its start and can be used now.
    var isReady: Bool { get }
    /// What `/status` says of the server.
    func status() -> ServerStatus
}

extension ServerRelay {
    package var isStateless: Bool { false }
    package func isReached(by servers: Grant.Servers) -> Bool { servers.contains(name) }
    package func closeStream(
        _ sink: any StreamSink, session: String, principal: Principal, unseen: [MessageBytes],
        since time: ContinuousClock.Instant
    ) {
        closeStream(sink, session: session, principal: principal)
    }
}

/// What `/status` and `lodge mcp status` say of one server; no secrets, no paths, no arguments.
package struct ServerStatus: Sendable {
    package var name: String
    /// `starting`, `running`, `restarting`, `failed` or `stopped`.
    package var state: String
    package var isolation: String
    package var ready: Bool
    package var sessions: Int
    package var callsInFlight: Int
    package var upstreams: Int
    /// How often the server was started again after it had ended by itself.
    package var restarts: Int
    /// The reason of the last ending, where there was one.
    package var lastEnding: String?
    package var serverInfo: JSONValue?
    package var protocolVersion: String?
    /// Answers that came after their call had ended, and answers to ids that nobody asked with.
    package var lateAnswers: Int
    package var unknownAnswers: Int
    /// Requests of clients that were taken, answered or not.
    package var requests: Int
    /// How those of them that reached the server, or were refused to it, ended.
    package var outcomes = OutcomeCounts()
    /// When a client last sent something in a session, in seconds since 1970; nil where none did.
    package var lastActivity: UInt64?

    package init(name: String, state: String, isolation: String) {
        self.name = name
        self.state = state
        self.isolation = isolation
        ready = false
        sessions = 0
        callsInFlight = 0
        upstreams = 0
        restarts = 0
        lateAnswers = 0
        unknownAnswers = 0
        requests = 0
    }
}
