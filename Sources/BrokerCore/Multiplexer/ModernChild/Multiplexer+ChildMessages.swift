// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Messages of a modern server that are no answers (2026-07-28, stdio).
extension Multiplexer {
    /// Takes a request, which such a server must not send, and which a client must not answer.
    func requestedByModern(_ message: ServerMessage) -> Effects {
        let buffer = message.bytes
        return Effects(
            .log(
                .refusedServerRequest(
                    method: message.envelope.text(message.envelope.method, in: buffer.readableBytesUInt8Span))))
    }

    mutating func notifiedByModern(_ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let stream = message.envelope.subscriptionID.flatMap { RawID.integer(in: bytes, $0) }
        switch ServerMethod(message.envelope, in: bytes) {
        case .progress: return progressed(message, now: now)
        case .cancelled:
            guard let range = message.envelope.requestID, let ticket = RawID.integer(in: bytes, range),
                own[ticket] == .listen
            else { return unrouted("notifications/cancelled") }
            return listeningEnded(ticket, failed: false, now: now)
        case .message: return logged(message)
        case .listChanged, .resourceUpdated:
            guard let stream, child.listening[stream] != nil else { return unrouted(message.method ?? "") }
            return heard(message, on: stream, now: now)
        case .ping, .other:
            if let stream, child.listening[stream] != nil,
                message.envelope.isMethod("notifications/subscriptions/acknowledged", in: bytes)
            {
                return Effects()
            }
            return unrouted(message.method ?? "")
        }
    }

    /// Takes a log message, which belongs to a request that asked for such messages and does not say to which one.
    private mutating func logged(_ message: ServerMessage) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let level = message.envelope.logLevel(in: bytes)
        if configuration.audience != .everybody {
            if let sink = listener(to: level) { return Effects(.deliver(sink, LodgeMessage.oneLine(message))) }
            let asked = pending.contains { _, call in
                guard call.modern == nil, call.held == nil, let level, let wished = levels[call.session] else {
                    return false
                }
                return wished <= level
            }
            if asked, let effects = toTheClient(LodgeMessage.oneLine(message), keep: false) { return effects }
        }
        return Effects(.log(.serverLogMessage(text: message.envelope.text(message.envelope.params, in: bytes))))
    }
}
