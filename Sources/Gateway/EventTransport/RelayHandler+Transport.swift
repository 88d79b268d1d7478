// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import NIOCore
import NIOHTTP1

/// The 2024-11-05 transport (MCP 2024-11-05, transports, HTTP with SSE): a GET opens the stream, whose first event says
/// where messages are sent, and POSTs bring them.
extension RelayHandler {
    // MARK: The stream

    func acceptTransportStream(of relay: any ServerRelay, messages: String, _ fields: RequestFields) {
        if let refusal = admit(to: relay, fields) ?? request.headerRefusal { return refuse(refusal) }
        if let accepted = fields.accepted, !accepted.contains(.eventStream) { return refuse(.getNotAcceptable) }
        if request.versionIsUnknown { return refuse(.unknownVersion) }
        // A session is a matter of the stream itself here.
        request.session = nil
        request.purpose = .transportStream(messages: messages)
    }

    func openTransport(messages: String) {
        guard let relay = request.relay else { return }
        let outlet = EventOutlet(answerBound, handler: self, now: .now())
        let transport = TransportSession(
            id: TransportSessions.makeID(), relay: relay, principal: request.principal, outlet: outlet, core: core)
        guard core.transports.add(transport, limit: core.limits.transportSessions) else {
            outlet.close()
            return refuse(.tooManyTransportSessions)
        }
        begin(outlet, for: transport, with: [EventFraming.endpoint("\(messages)?session_id=\(transport.id)")])
    }

    // MARK: Messages

    func acceptTransportMessage(
        to relay: any ServerRelay, _ target: RequestTarget, _ fields: RequestFields, _ head: HTTPRequestHead
    ) {
        if let refusal = admit(to: relay, fields) ?? request.headerRefusal
            ?? refusal(ofMessageWith: fields, answeredHere: false)
        {
            return refuseMessage(refusal, fields)
        }
        request.session = nil
        request.purpose = .transportMessage(target.parameter("session_id"))
        awaitBody(head, fields)
    }

    /// The open transport session of that id; to another principal, and beside another server, it does not exist.
    private func transport(named name: String) -> TransportSession? {
        guard let transport = core.transports[name], transport.principal == request.principal,
            transport.relay === request.relay
        else { return nil }
        return transport
    }

    func dispatchToTransport(named name: String?) {
        let body = request.body ?? ByteBuffer()
        request.body = nil
        let envelope: Envelope
        do throws(ScanError) {
            envelope = try MessageScanner.scan(body.readableBytesUInt8Span)
        } catch {
            return refuse(.unreadable(error))
        }
        let id = envelope.kind == .request ? envelope.id.map { RawID(body.readableBytesUInt8Span, $0) } : nil
        guard let name else { return refuse(.missingTransportSession, id: id) }
        guard let transport = transport(named: name) else { return refuse(.unknownTransportSession, id: id) }
        switch envelope.kind {
        case .notification where envelope.idIsNull: refuse(.nullID)
        case .request, .notification, .response, .errorResponse:
            if request.versionIsUnknown {
                let message = message(body, envelope)
                guard message.isInitialize || message.isModern else { return refuse(.unknownVersion, id: id) }
            }
            finish(transport.receive(body, envelope), id: id)
        case .batch:
            if request.versionIsUnknown { return refuse(.unknownVersion) }
            dispatchBatch(body, to: transport)
        case .invalid, .notAnObject: refuse(.noMessage)
        }
    }

    private func finish(_ reception: TransportSession.Reception, id: RawID?) {
        switch reception {
        case .taken: accept()
        case .refused(let refusal, let bytes): finish(.refused(refusal, bytes))
        case .ended: refuse(.unknownTransportSession, id: id)
        }
    }
}
