// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Requests of legacy clients to a modern server.
extension Multiplexer {
    /// Remembers what a session's client said of itself, until the session ends.
    mutating func sessionOpened(_ session: SessionKey, _ declaration: ClientDeclaration?) {
        guard configuration.era == .modern, let declaration else { return }
        child.declarations[session] = declaration
    }

    /// The answer to a request that a modern server has no word for, and what else is to be done; nil for any other.
    mutating func answeredBeforeModern(
        _ message: ClientMessage, kind: ClientRequest, id: RawID, session: SessionKey, now: ContinuousClock.Instant
    ) -> (MessageBytes, Effects)? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        func error(_ code: Int, _ text: String) -> (MessageBytes, Effects) {
            (LodgeMessage.error(id: id, code: code, message: text), Effects())
        }
        if let member = ambiguity(in: message) {
            return error(
                ErrorCode.invalidRequest, "'\(member)' can be read in two ways; write it once, in its own case")
        }
        if let params = message.envelope.params, bytes[params.lowerBound] != UInt8(ascii: "{") {
            return error(ErrorCode.invalidParams, "params must be an object")
        }
        if message.envelope.requestState != nil {
            return error(ErrorCode.invalidParams, "params.requestState is not a member of this revision; leave it out")
        }
        if kind == .task || message.envelope.task != nil {
            return error(
                ErrorCode.methodNotFound,
                "tasks of 2025-11-25 are not translated for a server of \(ModernRevision.newest); call without one")
        }
        switch kind {
        case .subscribe: return subscribed(message, id: id, session: session, now: now)
        case .unsubscribe: return unsubscribed(message, id: id, session: session)
        case .setLevel:
            guard let level = message.envelope.logLevel(in: bytes) else {
                let names = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
                return error(ErrorCode.invalidParams, "params.level must be one of \(names)")
            }
            levels[session] = level
            return (LodgeMessage.emptyResult(id: id), Effects())
        case .initialize, .ping, .listTools, .callTool, .task: return nil
        case .other:
            let modern: [StaticString] = ["server/discover", "subscriptions/listen", "tasks/update"]
            guard modern.contains(where: { message.envelope.isMethod($0, in: bytes) }) else { return nil }
            return error(
                ErrorCode.methodNotFound, "a session has no such method; it is one of \(ModernRevision.newest)")
        }
    }

    private mutating func subscribed(
        _ message: ClientMessage, id: RawID, session: SessionKey, now: ContinuousClock.Instant
    ) -> (MessageBytes, Effects)? {
        let buffer = message.bytes
        guard let uri = message.envelope.string(message.envelope.uri, in: buffer.readableBytesUInt8Span) else {
            return (
                LodgeMessage.error(id: id, code: ErrorCode.invalidParams, message: "params.uri must be a string"),
                Effects()
            )
        }
        if let server = child.server, !server.tellsOfResources {
            return (
                LodgeMessage.error(
                    id: id, code: ErrorCode.methodNotFound, message: "the server does not tell of changed resources"),
                Effects()
            )
        }
        var effects = Effects()
        if !subscriptions.join(session, uri: uri) {
            subscriptions.confirm(session, uri: uri)
            // Else it is opened when the server's handshake is over.
            if isReady { effects.append(listen(toResource: uri, now: now)) }
        }
        return (LodgeMessage.emptyResult(id: id), effects)
    }

    private mutating func unsubscribed(
        _ message: ClientMessage, id: RawID, session: SessionKey
    ) -> (MessageBytes, Effects)? {
        let buffer = message.bytes
        guard let uri = message.envelope.string(message.envelope.uri, in: buffer.readableBytesUInt8Span) else {
            return (
                LodgeMessage.error(id: id, code: ErrorCode.invalidParams, message: "params.uri must be a string"),
                Effects()
            )
        }
        var effects = Effects()
        if subscriptions.leave(session, uri: uri) == .last { effects.append(stopListening(toResource: uri)) }
        return (LodgeMessage.emptyResult(id: id), effects)
    }

    /// How a request goes to the server.
    func forwarding(
        _ message: ClientMessage, of call: PendingCall, as ticket: Ticket,
        continuation: ModernMetadata.Continuation? = nil
    ) -> Effect {
        guard configuration.era == .modern else { return .forward(message, ticket) }
        if call.modern != nil { return .forward(message, ticket) }
        let level = configuration.audience == .everybody ? nil : levels[call.session]
        return .forwardToModern(
            message, ticket,
            ModernMetadata(
                declaration: child.declarations[call.session] ?? ownDeclaration, logLevel: level,
                continuation: continuation))
    }

    /// What is kept of a legacy call, so that it can be sent again with what its client was asked for.
    func driving(_ message: ClientMessage) -> DrivenCall? {
        guard configuration.era == .modern else { return nil }
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let methods: [StaticString] = ["tools/call", "resources/read", "prompts/get"]
        return methods.contains { message.envelope.isMethod($0, in: bytes) } ? DrivenCall(message: message) : nil
    }
}
