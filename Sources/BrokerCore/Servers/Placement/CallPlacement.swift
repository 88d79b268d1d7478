// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Decides which upstream of a server gets a call, where that need not be the server's home upstream.
///
/// The home belongs to the server and answers everything else: `initialize`, lists, completions, subscriptions, log
/// levels. A placement owns the upstreams beside it, from their start to their end. It knows neither sessions nor what is
/// in a message: who enters a call does so through a closure.
protocol CallPlacement: AnyObject, Sendable {
    func start()
    func stop()

    /// Gives a call to an upstream.
    ///
    /// - Parameter body: enters the call at the upstream with the sink that it is handed; nil where it was answered at
    ///   once. It is run at most once, before this function returns, outside every lock.
    /// - Returns: what gives the call up; nil where there is no upstream left for it, and nothing was run.
    func enter(
        _ caller: Caller, home: Upstream, sink: any CallSink, _ body: (Upstream, any CallSink) -> Ticket?
    ) -> CallTicket?

    /// Gives a request to the upstream at which it began, which is the home or one of these.
    func enter(
        at upstream: Upstream, session: SessionKey, sink: any CallSink, _ body: (Upstream, any CallSink) -> Ticket?
    ) -> CallTicket

    /// Ends what nobody came back for.
    func sweep()

    /// The upstreams beside the home that may have calls of a session; every one for nil.
    func upstreams(of session: SessionKey?) -> [Upstream]

    /// The counters of upstreams that are gone.
    var past: Multiplexer.Counters { get }
}

/// Who calls, as far as an upstream of that call alone has to know it.
struct Caller: Sendable {
    let session: SessionKey
    /// The raw object of capabilities that the client declared.
    var capabilities = Array("{}".utf8)
    /// The log level that the client's session set.
    var level: LogLevel?
    /// What a legacy client said of itself, for a modern server.
    var declaration: ClientDeclaration?
}

extension ClientMessage {
    /// Whether any upstream of a server can take the request: it asks for work, not for what the server has.
    var isPlaceable: Bool {
        guard envelope.kind == .request else { return false }
        let buffer = bytes
        let span = buffer.readableBytesUInt8Span
        return envelope.isMethod("tools/call", in: span) || envelope.isMethod("prompts/get", in: span)
            || envelope.isMethod("resources/read", in: span)
    }

    var isCancellation: Bool {
        let buffer = bytes
        return envelope.isMethod("notifications/cancelled", in: buffer.readableBytesUInt8Span)
    }
}

extension CallFailure {
    /// Every upstream that there may be has a call.
    static func full(server: String) -> CallFailure {
        CallFailure(
            server: server, reason: "full",
            message: "every process of server '\(server)' is in use; wait until a call ends",
            hint: "the call did not reach the server; call again", ending: nil, retryAfter: .seconds(1),
            isOutage: true)
    }
}
