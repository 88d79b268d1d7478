// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import MCPProtocol
import NIOCore
import NIOHTTP1

/// What is done with a message that has arrived whole.
extension RelayHandler {
    func dispatch() {
        guard let relay = request.relay else { return }
        let body = request.body ?? ByteBuffer()
        request.body = nil
        let envelope: Envelope
        do throws(ScanError) {
            envelope = try MessageScanner.scan(body.readableBytesUInt8Span)
        } catch {
            return refuse(.unreadable(error))
        }
        switch envelope.kind {
        case .request where envelope.hasModernMeta: dispatchModern(body, envelope, to: relay)
        case .request: dispatchRequest(message(body, envelope), to: relay)
        case .notification where envelope.idIsNull: refuse(.nullID)
        case .notification, .response, .errorResponse, .batch:
            if let refusal = request.headerRefusal { return refuse(refusal) }
            dispatchOther(body, envelope, to: relay)
        case .invalid, .notAnObject: refuse(.noMessage)
        }
    }

    /// Takes what is no request: a notification, a response, a batch.
    private func dispatchOther(_ body: ByteBuffer, _ envelope: Envelope, to relay: any ServerRelay) {
        switch envelope.kind {
        case .batch: dispatchBatch(body, to: relay)
        case _ where request.namesModern: takeModern(envelope)
        default:
            if request.versionIsUnknown { return refuse(.unknownVersion) }
            finish(relay.receive(message(body, envelope), sink: NoAnswer.sink))
        }
    }

    func message(_ bytes: ByteBuffer, _ envelope: Envelope, _ metadata: RequestMetadata? = nil) -> ClientMessage {
        ClientMessage(
            bytes: bytes, envelope: envelope, session: request.session, principal: request.principal,
            isStateless: request.isStateless, servers: request.servers,
            parameterFields: envelope.hasModernMeta ? request.copies?.parameters ?? [] : [], metadata: metadata)
    }

    private func dispatchRequest(_ message: ClientMessage, to relay: any ServerRelay) {
        if let refusal = request.headerRefusal { return refuse(refusal, id: message.id) }
        let isInitialize = message.isInitialize
        if request.versionIsUnknown, !isInitialize {
            return refuse(request.namesModern ? .metadata(.noVersion) : .unknownVersion, id: message.id)
        }
        let exchange = begin(requests: 1, isBatch: false, mayStream: !isInitialize && request.takesStream)
        enter(message, exchange, relay)
    }

    /// Hands a request to the core, and answers it where it was refused.
    func enter(_ message: ClientMessage, _ exchange: Exchange, _ relay: any ServerRelay) {
        switch relay.receive(message, sink: exchange) {
        case .pending(let ticket): exchange.keep(ticket)
        case let admission:
            exchange.drop()
            guard self.exchange === exchange else { return }
            self.exchange = nil
            finish(admission)
        }
    }

    /// Makes the exchange of the request in hand, so that answers find it even before its dispatch is over.
    func begin(requests: Int, isBatch: Bool, mayStream: Bool) -> Exchange {
        let state = ExchangeState(
            requests: requests, isBatch: isBatch, mayStream: mayStream, start: request.start, limits: core.limits)
        let exchange = Exchange(state, handler: self, eventLoop: eventLoop, meters: core.meters)
        self.exchange = exchange
        if let due = state.due { arm(by: due) }
        return exchange
    }

    /// Writes what a message that has no exchange is answered with.
    func finish(_ admission: Admission) {
        switch admission {
        case .accepted, .pending: respond(.accepted, nil, session: request.session)
        case .refused(.invalid, let bytes): respond(.badRequest, bytes)
        case .refused(.unknownSession, let bytes): respond(.notFound, bytes)
        case .refused(.unavailable(let retryAfter), let bytes):
            respond(.serviceUnavailable, bytes, fields: [("Retry-After", String(retryAfter))])
        }
    }
}

extension ClientMessage {
    var isInitialize: Bool {
        guard let method = envelope.method else { return false }
        let buffer = bytes
        return JSONString.equals(buffer.readableBytesUInt8Span, contents: method, "initialize" as StaticString)
    }

    var id: RawID? {
        let buffer = bytes
        return envelope.id.map { RawID(buffer.readableBytesUInt8Span, $0) }
    }
}
