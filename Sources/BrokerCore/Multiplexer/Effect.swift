// SPDX-License-Identifier: Apache-2.0
package import JSONRPC
import MCPProtocol
package import NIOCore

/// What the owner of a ``Multiplexer`` has to do, outside its lock and in order.
enum Effect: Sendable {
    /// Write to the server.
    case send(MessageBytes)
    /// Write a client's request to the server under a ticket, its progress token replaced likewise.
    case forward(ClientMessage, Ticket)
    /// Write a legacy client's request to a modern server, with the metadata that it needs there.
    case forwardToModern(ClientMessage, Ticket, ModernMetadata)
    /// Hand the server's answer to its caller, under the caller's own id.
    case answer(PendingCall, ServerMessage)
    /// Hand a progress notification to its caller, under the caller's own token.
    case progress(any CallSink, token: RawID, ServerMessage)
    /// Hand a message to a caller beside its answer.
    case deliver(any CallSink, MessageBytes)
    /// Hand a message to sessions' own streams.
    case fanOut([any StreamSink], MessageBytes)
    /// End a modern client's request with questions of its server, and a sealed state to come back with.
    case askForInput(
        any CallSink, id: RawID, ModernRequest, [InputRequired.Request], RequestState.Course)
    /// End a client request with an answer of Lodge's.
    case finish(any CallSink, Answer)
    /// Let a client in with the server's answer to `initialize`.
    case open(InitializeCall, MessageBytes, version: String)
    /// End a session's own stream.
    case closeStream(any StreamSink)
    case record(CallRecord)
    case log(LogEvent)
    /// Lodge's own handshake with this generation is over; nil means that it went well.
    case handshake(failure: String?)
    /// Call `deadlineReached` at this time.
    case arm(ContinuousClock.Instant)
}

/// Events for Lodge's own log; each is a constant message with its data beside it.
package enum LogEvent: Sendable {
    case lateAnswer(ticket: Ticket)
    case unknownAnswer(id: String)
    case refusedServerRequest(method: String)
    case serverLogMessage(text: String)
    case unroutedNotification(method: String)
    case unknownClientResponse
    case unknownCancel
}

/// One message of a server, scanned once; a class for the same reason as ``ClientMessage``.
package final class ServerMessage: Sendable {
    package let bytes: ByteBuffer
    package let envelope: Envelope

    package init(bytes: ByteBuffer, envelope: Envelope) {
        self.bytes = bytes
        self.envelope = envelope
    }
}

/// A few effects, in order; most inputs have one, which then costs no allocation.
struct Effects: Sendable {
    private var first: Effect?
    private var rest: [Effect] = []

    init() {}
    init(_ effect: Effect) { first = effect }

    mutating func append(_ effect: Effect) {
        if first == nil { first = effect } else { rest.append(effect) }
    }

    mutating func append(_ effect: Effect?) {
        if let effect { append(effect) }
    }

    mutating func append(contentsOf effects: Effects) {
        effects.each { append($0) }
    }

    var isEmpty: Bool { first == nil }

    func each(_ body: (Effect) throws -> Void) rethrows {
        guard let first else { return }
        try body(first)
        for effect in rest { try body(effect) }
    }
}
