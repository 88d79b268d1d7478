// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// What a client says in the modern era, beside a handshake or without one.
extension RemoteConversation {
    /// Takes a message with the envelope of 2026-07-28; nil for one that is of the handshake's era.
    ///
    /// The body alone decides. A cancellation belongs to the era of the call that it names.
    mutating func takeModern(_ bytes: ByteBuffer, _ envelope: Envelope) -> LineAction? {
        switch envelope.kind {
        case .request where envelope.hasModernMeta: return enterModern(bytes, envelope)
        case .notification:
            let span = bytes.readableBytesUInt8Span
            guard Self.isMethod(envelope, "notifications/cancelled", span) else {
                return envelope.hasModernMeta ? enterModern(bytes, envelope) : nil
            }
            let id = envelope.requestID.map { RawID(span, $0) }
            // One id can be open in both eras; a cancellation without an envelope is then the handshake's.
            guard envelope.hasModernMeta || id.map({ post(of: $0) == nil }) ?? true else { return nil }
            let cancelled = id.map { modern.cancel($0) } ?? []
            // Over HTTP a call is cancelled by the end of its response (2026-07-28, basic/patterns/cancellation).
            if envelope.hasModernMeta || !cancelled.isEmpty || (modern.wereSeen && !hasHandshake) {
                return .cancel(cancelled)
            }
            return nil
        default: return nil
        }
    }

    private mutating func enterModern(_ bytes: ByteBuffer, _ envelope: Envelope) -> LineAction {
        do throws(ModernCall.Unsendable) {
            return .modern(try modern.enter(bytes, envelope))
        } catch {
            guard envelope.kind == .request, let range = envelope.id else { return .ignore }
            let id = RawID(bytes.readableBytesUInt8Span, range)
            return .reply(Self.error(id, error.code, error.message))
        }
    }

    /// Takes a message that came in the response to a modern call; nil for one that no longer matters.
    mutating func received(_ bytes: ByteBuffer, _ envelope: Envelope, for call: ModernCall) -> ModernCalls.Receipt? {
        activity += 1
        guard let id = call.id, modern.isOpen(call) else { return nil }
        return ModernCalls.judge(bytes, envelope, for: id)
    }

    /// Settles a call with its answer; answers whether anybody still wants it.
    mutating func settle(_ call: ModernCall) -> Bool {
        guard modern.end(call) else { return false }
        outcome = .succeeded
        return true
    }

    /// Ends a call that gets no answer; answers what its caller is told, if anybody still wants to know.
    mutating func fail(_ call: ModernCall, _ failure: RemoteFailure) -> ByteBuffer? {
        guard let id = call.id else { return nil }
        guard modern.end(call) else { return nil }
        note(failure)
        return failure.message(for: id)
    }

    /// Answers a call that is not sent, because the server has no modern era.
    mutating func refuseModern(_ call: ModernCall) -> ByteBuffer? {
        guard let id = call.id, modern.end(call) else { return nil }
        return Self.error(
            id, -32601,
            "the server is reached by HTTP+SSE of 2024-11-05, which has no '\(call.method)' of this revision; "
                + "begin with initialize")
    }
}
