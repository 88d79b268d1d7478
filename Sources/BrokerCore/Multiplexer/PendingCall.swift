// SPDX-License-Identifier: Apache-2.0
package import JSONRPC
package import MCPProtocol

/// The id under which a request of a client, or of Lodge itself, is known to a server: never used twice.
package typealias Ticket = Int64

/// A client's request that has no answer yet.
package struct PendingCall: Sendable {
    /// What the multiplexer does with the answer, beside passing it on.
    package enum Purpose: Sendable, Equatable {
        case relay
        /// The answer's list is cut down to what the policy allows.
        case listTools
        /// The answer is a tool's result, which is cut where it is too long.
        case limitedResult
        case subscribe(uri: String)
        case unsubscribe(uri: String)
        case setLevel(LogLevel)
    }

    package internal(set) var sink: any CallSink
    package internal(set) var session: SessionKey
    /// The client's own id, as it was written.
    package internal(set) var id: RawID
    /// The client's own progress token, as it was written.
    package internal(set) var token: RawID?
    package var purpose: Purpose
    /// The method and the tool, for the call log; nil where nobody keeps one.
    package let label: CallLabel?
    package let started: ContinuousClock.Instant
    /// Moves with each progress notification.
    package var deadline: ContinuousClock.Instant
    package internal(set) var absoluteDeadline: ContinuousClock.Instant
    /// The message itself, until it can be sent.
    package var held: ClientMessage?
    /// What the request is, for a modern client; nil for a legacy one.
    var modern: ModernRequest?
    /// Who the server is that a modern client's call was sent to.
    var identity: ServerIdentity?
    /// Where its result will be kept, if it says that it may be.
    var caching: ResultCache.Place?
    /// How it goes on where a modern server asks a legacy client for input; nil where that cannot be.
    var driven: DrivenCall?
    /// What the server asked for and the client had not declared.
    var lacking: ClientCapabilities = []

    /// Goes on for the request that another call came with.
    mutating func take(over call: PendingCall) {
        sink = call.sink
        session = call.session
        id = call.id
        token = call.token
        deadline = call.deadline
        absoluteDeadline = call.absoluteDeadline
        modern = call.modern
        identity = call.identity ?? identity
        caching = nil
    }

    func record(
        server: String, outcome: CallRecord.Outcome, answerBytes: Int, now: ContinuousClock.Instant
    ) -> CallRecord? {
        guard let label else { return nil }
        return CallRecord(
            server: server, method: label.method, name: label.name, principal: label.principal.name,
            duration: started.duration(to: now), outcome: outcome, answerBytes: answerBytes)
    }
}

/// What a call is called in the call log, and whose it is.
package final class CallLabel: Sendable {
    package let method: String
    package let name: String?
    package let principal: Principal

    package init(method: String, name: String?, principal: Principal) {
        self.method = method
        self.name = name
        self.principal = principal
    }
}

/// A client that waits for the answer to its `initialize`.
package struct InitializeCall: Sendable {
    package let sink: any CallSink
    package let principal: Principal
    package let id: RawID
    package let askedVersion: String
    /// A digest of the capabilities that the client declared.
    package let capabilities: UInt64
    /// What the client said of itself, where the server is told so with each request.
    var declaration: ClientDeclaration?
    /// The capabilities themselves, a raw object on one line; nil where they are longer than a session may keep.
    var declared: [UInt8]? = Array("{}".utf8)
    /// Whether a session is opened with the answer.
    package var opensSession = true
    package var deadline: ContinuousClock.Instant
    /// The client's message, where it is forwarded and could not be sent yet.
    package var held: ClientMessage?

    /// Bytes of capabilities that are kept with a session.
    static let declaredLimit = 64 * 1024
}

/// A request of a server that a client has not answered yet.
package struct ServerRequest: Sendable {
    /// The server's own id, as it was written.
    package let id: RawID
    package internal(set) var deadline: ContinuousClock.Instant
}
