// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import MCPProtocol
import NIOCore

/// Event streams of a session: its own one, those that answer a POST, and their resumption.
extension RelayHandler {
    /// Opens a session's own stream, or goes on with the stream of an event (the GET of Streamable HTTP).
    ///
    /// - Parameter last: the `Last-Event-ID` of the request.
    func openStream(after last: String?) {
        guard let relay = request.relay, let session = request.session else { return }
        let principal = request.principal
        guard let version = relay.protocolVersion(session: session, principal: principal) else {
            return refuse(.unknownSession)
        }
        if let last {
            guard let id = EventID(last) else { return refuse(.unknownEvent) }
            if let stream = core.streams.find(id.stream, session: session, principal: principal) {
                return resume(stream, after: id.number)
            }
            // The own stream of a time before this process, or one that nobody missed for long.
            guard id.stream.kind == .own else { return refuse(.unknownEvent) }
        } else if let stream = core.streams.waiting(session: session, principal: principal) {
            return resume(stream, after: nil)
        }
        openOwnStream(of: relay, session: session, version: version)
    }

    private func openOwnStream(of relay: any ServerRelay, session: String, version: String) {
        let outlet = EventOutlet(backlogBound, handler: self, now: .now())
        let events = EventStream(.own, session: session, principal: request.principal, core: core)
        let stream = SessionStream(
            relay: relay, session: session, principal: request.principal, events: events, core: core)
        events.open(outlet, owner: stream)
        guard relay.openStream(stream, session: session, principal: request.principal) else {
            core.streams.forget(session: session)
            events.outletClosed(outlet, unwritten: 0)
            outlet.close()
            return refuse(.unknownSession)
        }
        begin(outlet, for: events, with: [EventFraming.opened] + priming(events, version: version))
    }

    private func resume(_ stream: EventStream, after number: Int?) {
        let isOwn = stream.name.kind == .own
        let outlet = EventOutlet(isOwn ? backlogBound : answerBound, handler: self, now: .now())
        switch stream.resume(outlet, after: number) {
        case .resumed:
            if let session = request.session { request.relay?.touch(session: session, principal: request.principal) }
            begin(outlet, for: stream, with: [EventFraming.opened])
        case .unknown where number == nil:
            // Another connection took it in the meantime: this one gets a stream of its own.
            outlet.close()
            guard let relay = request.relay, let session = request.session,
                let version = relay.protocolVersion(session: session, principal: request.principal)
            else { return refuse(.unknownSession) }
            openOwnStream(of: relay, session: session, version: version)
        case .dropped:
            outlet.close()
            refuse(.droppedEvents)
        case .unknown:
            outlet.close()
            refuse(.unknownEvent)
        }
    }

    /// Makes a stream of the response to a POST, and hands it its first messages.
    func startStream(_ messages: [MessageBytes], of exchange: Exchange) -> EventStream? {
        guard exchange === self.exchange else { return nil }
        self.exchange = nil
        let version = request.session.flatMap {
            request.relay?.protocolVersion(session: $0, principal: request.principal)
        }
        let outlet = EventOutlet(answerBound, handler: self, now: .now())
        let stream = EventStream(
            .answer, session: version == nil ? nil : request.session, principal: request.principal, core: core)
        stream.open(outlet, owner: exchange)
        for message in messages { _ = stream.add(message) }
        var first = version.map { priming(stream, version: $0) } ?? []
        if first.isEmpty, messages.isEmpty { first = [EventFraming.keepAlive] }
        begin(outlet, for: stream, with: first)
        return stream
    }

    /// An id before the first message, where the client's revision has it: older ones take an event without data amiss.
    private func priming(_ stream: EventStream, version: String) -> [ByteBuffer] {
        version >= ProtocolVersion.november2025.rawValue ? [EventFraming.priming(EventID(stream.name, 0))] : []
    }

    var answerBound: EventOutlet.Bound { .answers(bytes: core.limits.heldForClient) }

    private var backlogBound: EventOutlet.Bound {
        .backlog(bytes: core.limits.streamBacklogBytes, messages: core.limits.streamBacklogMessages)
    }
}
