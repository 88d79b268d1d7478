// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import MCPProtocol
import NIOCore

/// Batches, which only the revision 2025-03-26 has: each message is handled on its own, the answers go together.
extension RelayHandler {
    func dispatchBatch(_ body: ByteBuffer, to relay: any ServerRelay) {
        if request.namesModern { return refuse(.modernBatch) }
        if request.versionIsUnknown { return refuse(.unknownVersion) }
        if let refusal = refusal(ofBatchTo: relay) { return refuse(refusal) }
        guard let messages = messages(ofBatch: body) else { return }
        dispatch(messages, to: relay)
    }

    /// Reads a batch; nil where it was refused.
    ///
    /// - Returns: nil in place of an element that is no message.
    private func messages(ofBatch body: ByteBuffer) -> [ClientMessage?]? {
        let elements: [Range<Int>]
        do throws(ScanError) {
            elements = try MessageScanner.batchElements(of: body.readableBytesUInt8Span)
        } catch {
            return refused(.unreadable(error))
        }
        if elements.isEmpty { return refused(.emptyBatch) }
        if elements.count > core.limits.batchMessages {
            return refused(.batchTooLong(limit: core.limits.batchMessages))
        }
        let messages = elements.map { message(at: $0, of: body) }
        if messages.contains(where: { $0?.envelope.kind == .request && $0?.isInitialize == true }) {
            return refused(.initializeInBatch)
        }
        if messages.contains(where: { $0?.isModern == true }) { return refused(.modernBatch) }
        return messages
    }

    private func refused(_ refusal: GatewayRefusal) -> [ClientMessage?]? {
        refuse(refusal)
        return nil
    }

    /// A batch of the 2024-11-05 transport: each message is handled on its own, and so are the answers.
    func dispatchBatch(_ body: ByteBuffer, to transport: TransportSession) {
        guard transport.protocolVersion == ProtocolVersion.march2025.rawValue else {
            return refuse(.batchOutsideItsRevision)
        }
        guard let messages = messages(ofBatch: body) else { return }
        for message in messages {
            guard let message else {
                transport.send(MessageBytes(bytes: GatewayRefusal.noMessage.body()))
                continue
            }
            // The refusal of a message that has no answer is told to nobody, as in a batch with answers elsewhere.
            _ = transport.receive(message.bytes, message.envelope)
        }
        accept()
    }

    private func refusal(ofBatchTo relay: any ServerRelay) -> GatewayRefusal? {
        if request.isStateless {
            // Without the header, the revision before it came is assumed (MCP 2025-06-18, protocol version header).
            return request.namedVersion ?? .march2025 == .march2025 ? nil : .statelessBatchOutsideItsRevision
        }
        guard let session = request.session else { return .batchOutsideItsRevision }
        guard let version = relay.protocolVersion(session: session, principal: request.principal) else {
            return .unknownSession
        }
        return version == ProtocolVersion.march2025.rawValue ? nil : .batchOutsideItsRevision
    }

    /// - Parameter messages: nil stands for an element that is no message.
    private func dispatch(_ messages: [ClientMessage?], to relay: any ServerRelay) {
        let answers = messages.count { $0.map { $0.envelope.kind == .request } ?? true }
        guard answers > 0 else { return dispatchWithoutAnswers(messages, to: relay) }
        let exchange = begin(requests: answers, isBatch: true, mayStream: request.takesStream)
        for message in messages {
            guard let message else {
                exchange.finish(.message(MessageBytes(bytes: GatewayRefusal.noMessage.body())))
                continue
            }
            let isRequest = message.envelope.kind == .request
            switch relay.receive(message, sink: isRequest ? exchange : NoAnswer.sink) {
            case .pending(let ticket): exchange.keep(ticket)
            case .refused(_, let bytes) where isRequest: exchange.finish(.message(bytes))
            case .accepted, .refused: break
            }
        }
    }

    private func dispatchWithoutAnswers(_ messages: [ClientMessage?], to relay: any ServerRelay) {
        var refused: Admission?
        for message in messages.compactMap(\.self) {
            let admission = relay.receive(message, sink: NoAnswer.sink)
            if case .refused = admission, refused == nil { refused = admission }
        }
        finish(refused ?? .accepted)
    }

    private func message(at range: Range<Int>, of body: ByteBuffer) -> ClientMessage? {
        guard let bytes = body.getSlice(at: body.readerIndex + range.lowerBound, length: range.count),
            let envelope = try? MessageScanner.scan(bytes.readableBytesUInt8Span)
        else { return nil }
        switch envelope.kind {
        case .request, .notification, .response, .errorResponse: return message(bytes, envelope)
        case .batch, .invalid, .notAnObject: return nil
        }
    }
}
