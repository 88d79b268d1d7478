// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import NIOCore
import Synchronization

/// One client of the 2024-11-05 transport (HTTP+SSE): its open stream, and the session that it initialized over it.
///
/// It lives as long as the stream. Messages come by POSTs on any connection that name its id; every answer and every
/// other message of the server goes to the stream. It owns the core's session: that ends with the stream, and the
/// stream ends with it. It is not resumable.
final class TransportSession: OutletOwner {
    private struct State {
        /// The core's session, once the client has initialized; a later `initialize` puts another in its place.
        var link: CoreSessionLink?
        var calls: [ObjectIdentifier: TransportCall] = [:]
        /// Whether the session has ended, so that the stream ends behind the last answer.
        var isEnding = false
        var isEnded = false
    }

    /// What a POST is answered with.
    enum Reception: Sendable {
        /// It was taken; what answers it comes on the stream.
        case taken
        case refused(Refusal, MessageBytes)
        /// The stream has ended.
        case ended
    }

    let id: String
    let relay: any ServerRelay
    let principal: Principal
    private let outlet: EventOutlet
    private let core: GatewayCore
    private let state = Mutex(State())

    init(id: String, relay: any ServerRelay, principal: Principal, outlet: EventOutlet, core: GatewayCore) {
        self.id = id
        self.relay = relay
        self.principal = principal
        self.outlet = outlet
        self.core = core
        core.meters.streams.add(1, ordering: .relaxed)
    }

    deinit { core.meters.streams.subtract(1, ordering: .relaxed) }

    // MARK: Messages of the client

    /// The protocol version of the session; nil before `initialize` was answered.
    var protocolVersion: String? {
        state.withLock { $0.link }.flatMap { relay.protocolVersion(session: $0.session, principal: principal) }
    }

    func receive(_ bytes: ByteBuffer, _ envelope: Envelope) -> Reception {
        let (session, isEnded) = state.withLock { ($0.link?.session, $0.isEnded) }
        if isEnded { return .ended }
        let message = ClientMessage(bytes: bytes, envelope: envelope, session: session, principal: principal)
        if message.isModern {
            let version = envelope.string(envelope.metaProtocolVersion, in: bytes.readableBytesUInt8Span) ?? ""
            let refusal = GatewayRefusal.modernOnTransport(version: version)
            return send(MessageBytes(bytes: refusal.body(id: message.id))) ? .taken : .ended
        }
        guard envelope.kind == .request else {
            guard session != nil else { return .refused(.invalid, .notInitialized(id: nil)) }
            if case .refused(let refusal, let bytes) = relay.receive(message, sink: NoAnswer.sink) {
                return .refused(refusal, bytes)
            }
            return .taken
        }
        let isInitialize = message.isInitialize
        guard session != nil || isInitialize else {
            return send(.notInitialized(id: message.id)) ? .taken : .ended
        }
        let call = TransportCall(self, acceptsStream: !isInitialize, meters: core.meters)
        guard enter(call) else { return .ended }
        switch relay.receive(message, sink: call) {
        case .pending(let ticket): call.keep(ticket)
        case .refused(_, let bytes): finish(call, .message(bytes))
        case .accepted: leave(call)
        }
        return .taken
    }

    private func enter(_ call: TransportCall) -> Bool {
        state.withLock { state in
            guard !state.isEnded else { return false }
            state.calls[ObjectIdentifier(call)] = call
            return true
        }
    }

    private func leave(_ call: TransportCall) {
        let wasLast = state.withLock { state in
            state.calls[ObjectIdentifier(call)] = nil
            return state.isEnding && state.calls.isEmpty
        }
        if wasLast { outlet.end() }
    }

    // MARK: Messages for the client, on any thread

    @discardableResult
    func send(_ message: MessageBytes) -> Bool { outlet.send(EventFraming.event(message)) }

    /// Ends a request with its answer.
    func finish(_ call: TransportCall, _ answer: Answer) {
        guard case .opened(let bytes, let session) = answer else {
            send(answer.bytes)
            leave(call)
            return
        }
        let link = CoreSessionLink(self, session: session)
        let (older, isEnded) = state.withLock { state in
            state.calls[ObjectIdentifier(call)] = nil
            guard !state.isEnded else { return (CoreSessionLink?.none, true) }
            defer { (state.link, state.isEnding) = (link, false) }
            return (state.link, false)
        }
        if isEnded { return endCoreSession(session) }
        // The answer first: nothing of the session may come before it.
        send(bytes)
        if let older { endCoreSession(older.session) }
        if !relay.openStream(link, session: session, principal: principal) { linkEnded(link) }
    }

    /// The core has ended a session: the client has to begin anew, if it was its present one.
    func linkEnded(_ link: CoreSessionLink) {
        let isOver = state.withLock { state in
            guard state.link === link else { return false }
            state.isEnding = true
            return state.calls.isEmpty
        }
        if isOver { outlet.end() }
    }

    private func endCoreSession(_ session: String) {
        // Without effect where it ended by itself meanwhile.
        _ = relay.endSession(session, principal: principal)
    }

    // MARK: OutletOwner

    var endsAtShutdown: Bool { state.withLock { $0.calls.isEmpty } }

    func outletWasTaken(_ outlet: EventOutlet) {
        if let link = state.withLock({ $0.link }) { relay.touch(session: link.session, principal: principal) }
    }

    func outletClosed(_ outlet: EventOutlet, unwritten: Int) {
        core.transports.remove(id)
        let (link, calls) = state.withLock { state in
            defer { (state.link, state.calls) = (nil, [:]) }
            state.isEnded = true
            return (state.link, state.calls.values)
        }
        for call in calls { call.abandon() }
        if let link { endCoreSession(link.session) }
    }
}

/// The stream of a core's session, as the core sees it: one object for each, so that the end of an earlier session of the
/// same client is told from the end of its present one.
final class CoreSessionLink: StreamSink {
    let session: String
    private let transport: TransportSession

    init(_ transport: TransportSession, session: String) {
        self.transport = transport
        self.session = session
    }

    func deliver(_ message: MessageBytes) -> Bool { transport.send(message) }
    func close() { transport.linkEnded(self) }
}

extension MessageBytes {
    fileprivate static func notInitialized(id: RawID?) -> MessageBytes {
        MessageBytes(bytes: GatewayRefusal.notInitialized.body(id: id))
    }
}
