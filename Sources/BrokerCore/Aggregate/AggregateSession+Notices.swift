// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Synchronization

/// What members tell the client of a session on its own stream, and what the aggregate does.
extension AggregateSession {
    /// Attaches the client's stream in place of an older one; false where the session has ended.
    func openStream(_ sink: any StreamSink, members: [AggregateMember]) -> Bool {
        let (isEnded, older, owed) = state.withLock { state -> (Bool, (any StreamSink)?, Set<String>) in
            guard !state.isEnded else { return (true, nil, []) }
            defer { (state.stream, state.owed) = (sink, []) }
            return (false, state.stream, state.owed)
        }
        guard !isEnded else { return false }
        older?.close()
        for list in owed.sorted() { _ = sink.deliver(ListKind.changeNotice(of: list)) }
        for member in members { attachStream(to: member) }
        return state.withLock { !$0.isEnded }
    }

    /// Detaches the client's stream, unless another has taken its place.
    func closeStream(_ sink: any StreamSink, members: [AggregateMember]) {
        let attached = state.withLock { state -> [String: (MemberStream, String)] in
            guard let current = state.stream, current === sink else { return [:] }
            state.stream = nil
            var attached: [String: (MemberStream, String)] = [:]
            for (name, member) in state.members {
                if let stream = member.stream, let session = member.session { attached[name] = (stream, session) }
                state.members[name]?.stream = nil
            }
            return attached
        }
        for member in members {
            guard let (stream, session) = attached[member.name] else { continue }
            member.relay.closeStream(stream, session: session, principal: principal)
        }
    }

    /// Lets a member use the client's stream, where both are there.
    func attachStream(to member: AggregateMember) {
        let attached = state.withLock { state -> (MemberStream, String)? in
            guard state.stream != nil, !state.isEnded, let session = state.members[member.name]?.session,
                state.members[member.name]?.stream == nil
            else { return nil }
            let stream = MemberStream(member: member, session: self)
            state.members[member.name]?.stream = stream
            return (stream, session)
        }
        guard let (stream, session) = attached else { return }
        if !member.relay.openStream(stream, session: session, principal: principal) {
            tellChanges(of: lost(session, of: member.name))
        }
    }

    /// A member closed its stream: its session may have ended with its upstream.
    func memberClosed(_ stream: MemberStream, _ member: AggregateMember) {
        let session = state.withLock { state -> String? in
            guard let current = state.members[member.name]?.stream, current === stream else { return nil }
            state.members[member.name]?.stream = nil
            return state.isEnded ? nil : state.members[member.name]?.session
        }
        guard let session, member.relay.protocolVersion(session: session, principal: principal) == nil else { return }
        tellChanges(of: lost(session, of: member.name))
    }

    /// Tells the client that lists have changed, now or when it opens its stream.
    func tellChanges(of lists: Set<String>) {
        guard !lists.isEmpty else { return }
        let stream = state.withLock { state -> (any StreamSink)? in
            if lists.contains("resources") { state.known.isCurrent = false }
            if state.stream == nil { state.owed.formUnion(lists) }
            return state.stream
        }
        guard let stream else { return }
        for list in lists.sorted() { _ = stream.deliver(ListKind.changeNotice(of: list)) }
    }

    /// A member went down: it drops out of the lists.
    func wentDown(_ member: String) {
        tellChanges(
            of: state.withLock { state in
                guard !state.isEnded, state.members[member]?.isMissing == false else { return [] }
                state.members[member]?.isMissing = true
                return state.lists(of: member)
            })
    }

    /// A member is up: if it had dropped out of the lists, it is back in them.
    func cameUp(_ member: String) {
        tellChanges(
            of: state.withLock { state in
                guard !state.isEnded, state.members[member]?.isMissing == true else { return [] }
                state.members[member]?.isMissing = false
                return state.lists(of: member)
            })
    }

    // MARK: Messages of members

    /// A member's message as the client gets it; nil where it means nothing to the client.
    func outward(_ message: MessageBytes, of member: AggregateMember) -> MessageBytes? {
        let buffer = message.joined()
        let bytes = buffer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(bytes) else { return nil }
        let scanned = ServerMessage(bytes: buffer, envelope: envelope)
        switch (envelope.kind, ServerMethod(envelope, in: bytes)) {
        case (.request, _): return asked(scanned, by: member)
        case (_, .cancelled):
            guard let range = envelope.requestID else { return nil }
            let id = RawID(bytes, range)
            let ticket = state.withLock { $0.asked.withdraw(id, of: member.name) }
            return ticket.map { LodgeMessage.replacing(range, with: RawID($0), in: scanned) }
        case (_, .resourceUpdated):
            guard let range = envelope.uri, let uri = JSONString.decode(bytes, range) else { return message }
            guard state.withLock({ $0.isPrefixed(uri, of: member.name) }) else { return message }
            let name = RawID(string: MemberPrefix.ofResources(member.name) + uri)
            return LodgeMessage.replacing(range, with: name, in: scanned)
        case (_, .listChanged):
            if envelope.isMethod("notifications/resources/list_changed", in: bytes) {
                state.withLock { $0.known.isCurrent = false }
            }
            return message
        default: return message
        }
    }

    /// Gives a member's request an id, and a progress token, that no other member's has.
    private func asked(_ message: ServerMessage, by member: AggregateMember) -> MessageBytes? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.id else { return nil }
        let request = AskedRequests.Request(
            member: member.name, id: RawID(bytes, range),
            token: message.envelope.progressToken.map { RawID(bytes, $0) })
        let ticket = state.withLock { state in state.isEnded ? nil : state.asked.add(request) }
        return ticket.map { LodgeMessage.renumbered(message, as: $0) }
    }
}

/// A member's way to the client's own stream.
final class MemberStream: StreamSink {
    private let member: AggregateMember
    private let session: AggregateSession

    init(member: AggregateMember, session: AggregateSession) {
        self.member = member
        self.session = session
    }

    func deliver(_ message: MessageBytes) -> Bool {
        guard let stream = session.state.withLock({ $0.stream }) else { return false }
        guard let message = session.outward(message, of: member) else { return true }
        return stream.deliver(message)
    }

    func close() { session.memberClosed(self, member) }
}

/// The sink of a call to a member that may ask its client something meanwhile.
final class MemberSink: CallSink {
    private let inner: any CallSink
    private let member: AggregateMember
    private let session: AggregateSession

    init(_ inner: any CallSink, member: AggregateMember, session: AggregateSession) {
        self.inner = inner
        self.member = member
        self.session = session
    }

    var acceptsStream: Bool { inner.acceptsStream }

    func deliver(_ message: MessageBytes) {
        if let message = session.outward(message, of: member) { inner.deliver(message) }
    }

    func finish(_ answer: Answer) { inner.finish(answer) }
}
