// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import Logging
import MCPProtocol
import NIOCore
import Synchronization

/// Every server of a broker in one endpoint, as a client of each of them.
///
/// It has no upstream: a session of its own holds a session with each member, and what a member does for its clients
/// (ids, tokens, limits, policy, failures) is done there. Modern clients have no session (``ModernAggregate``). Tools and prompts are `<server>__<name>`, always; resources
/// keep their URIs but where two members have the same one (``ResourceOwners``). A client's grant decides which members
/// there are for it.
///
/// Not relayed are tasks, since their ids are only a member's, and notifications that no revision knows.
package final class AggregateServer: ServerRelay {
    /// No server can have this name; it is the endpoint's place in paths and sessions.
    package static let reservedName = ServerName.reserved

    /// A session keeps its client's `initialize`, to open members' sessions with; in bytes.
    static let longestHello = 256 * 1024

    /// What the parts of one aggregate share.
    struct Surroundings: Sendable {
        var lists = ListCall.Limits()
        let delays: any DelayScheduler
        let logger: Logger
    }

    package let name = AggregateServer.reservedName
    let surroundings: Surroundings
    let modern: ModernAggregate
    private let version: String
    private let sessions: SessionDesk<AggregateSession>
    private let memberList = Mutex<[AggregateMember]>([])

    /// - Parameters:
    ///   - version: Lodge's own, which clients are told.
    ///   - ports: time, logs and signing; its supervisor is never asked for anything.
    package init(
        version: String, sessions limits: SessionLimits = SessionLimits(), ports: ServerPorts,
        delays: any DelayScheduler
    ) {
        self.version = version
        surroundings = Surroundings(delays: delays, logger: ports.logger)
        modern = ModernAggregate(version: version, surroundings: surroundings)
        sessions = SessionDesk(server: Self.reservedName, isolation: .shared, limits: limits, ports: ports)
    }

    /// Says which servers there are, in the order of their configuration; sessions are told of what comes and goes.
    package func setMembers(_ members: [AggregateMember]) {
        let before = memberList.withLock { list in
            defer { list = members }
            return list
        }
        let gone = before.filter { old in !members.contains { $0.relay === old.relay } }
        let added = members.filter { new in !before.contains { $0.relay === new.relay } }
        for session in sessions.all.map(\.attachment) {
            for member in gone { session.remove(member) }
            for member in added { session.added(member) }
        }
        for member in gone { modern.removed(member) }
        for member in added { modern.added(member) }
    }

    var members: [AggregateMember] { memberList.withLock { $0 } }

    /// The members that a client's grant reaches; others do not exist for it.
    func members(for message: ClientMessage) -> [AggregateMember] {
        let all = members
        if case .all = message.servers { return all }
        return all.filter { message.servers.contains($0.name) }
    }

    // MARK: ServerRelay

    package func isReached(by servers: Grant.Servers) -> Bool { members.contains { servers.contains($0.name) } }

    package func receive(_ message: ClientMessage, sink: any CallSink) -> Admission {
        let buffer = message.bytes
        let span = buffer.readableBytesUInt8Span
        let members = members(for: message)
        if message.isModern { return modern.receive(message, members: members, sink: sink) }
        if message.envelope.kind == .request, message.envelope.isMethod("initialize", in: span) {
            return initialize(message, members: members, sink: sink)
        }
        guard let id = message.session else { return message.missingSession() }
        guard let session = sessions.use(id, principal: message.principal) else { return message.unknownSession() }
        switch message.envelope.kind {
        case .request:
            return AggregateRequest(
                message: message, session: session.attachment, members: members, sink: sink,
                surroundings: surroundings
            ).admit()
        case .notification:
            session.attachment.notify(message, members: members)
            return .accepted
        case .response, .errorResponse:
            session.attachment.answer(message, members: members)
            return .accepted
        case .batch, .invalid, .notAnObject:
            return .refused(
                .invalid,
                LodgeMessage.error(
                    id: nil, code: -32600, message: "the message has neither a method nor a result nor an error"))
        }
    }

    package func protocolVersion(session: String, principal: Principal) -> String? {
        sessions.find(session, principal: principal)?.protocolVersion.rawValue
    }

    package func openStream(_ sink: any StreamSink, session: String, principal: Principal) -> Bool {
        guard let holder = sessions.use(session, principal: principal) else { return false }
        return holder.attachment.openStream(sink, members: members)
    }

    package func closeStream(_ sink: any StreamSink, session: String, principal: Principal) {
        sessions.find(session, principal: principal)?.attachment.closeStream(sink, members: members)
    }

    package func touch(session: String, principal: Principal) {
        sessions.touch(session, principal: principal)
        sessions.find(session, principal: principal)?.attachment.touch(members: members)
    }

    package func endSession(_ session: String, principal: Principal) -> Bool {
        guard let ended = sessions.end(session, principal: principal) else { return false }
        ended.attachment.end(members: members)
        return true
    }

    /// Ends the sessions that are over their time.
    package func sweep() {
        let members = members
        for session in sessions.sweep(isBusy: { $0.attachment.isBusy(members: members) }) {
            session.attachment.end(members: members)
        }
    }

    /// It is ready when its members are, which is asked of them.
    package var isReady: Bool { true }

    package func status() -> ServerStatus {
        var status = ServerStatus(name: name, state: "running", isolation: Isolation.shared.rawValue)
        status.ready = true
        status.sessions = sessions.count
        return status
    }

    // MARK: initialize

    private func initialize(_ message: ClientMessage, members: [AggregateMember], sink: any CallSink) -> Admission {
        guard let call = message.initializeCall(sink: sink, deadline: .now) else {
            return message.malformedInitialize()
        }
        guard message.bytes.readableBytes <= Self.longestHello else {
            return .refused(
                .invalid,
                LodgeMessage.error(
                    id: call.id, code: -32602,
                    message: "initialize is longer than \(Self.longestHello) bytes; send less"))
        }
        let session = AggregateSession(hello: message.kept)
        let opened = Mutex(false)
        let handshake = Operation(id: call.id, sink: sink) { [weak self] _ in
            // A client that left before its session was there leaves nothing at the members either.
            guard let self, !opened.withLock({ $0 }) else { return }
            session.end(members: self.members)
        }
        AggregateHandshake(members: members, session: session).start { [self] greeting, failure in
            if let failure {
                handshake.finish(failure.answer(id: call.id))
                return
            }
            finish(handshake, call, session, greeting) { opened.withLock { $0 = true } }
        }
        return .pending(handshake.ticket)
    }

    private func finish(
        _ handshake: Operation, _ call: InitializeCall, _ session: AggregateSession, _ greeting: AggregateGreeting,
        opened: () -> Void
    ) {
        guard !handshake.isOver else { return }
        session.state.withLock { $0.announced = greeting.announced }
        let asked = ProtocolVersion(rawValue: call.askedVersion) ?? .newest
        guard
            let opening = sessions.open(
                principal: call.principal, version: asked.rawValue, capabilities: call.capabilities,
                attachment: session)
        else {
            handshake.finish(ClientMessage.fullAnswer(id: call.id, server: name))
            return
        }
        opened()
        if let evicted = opening.evicted { evicted.attachment.end(members: members) }
        let answer = greeting.answer(id: call.id, version: asked.rawValue, lodgeVersion: version)
        // The client may have left while its session was being opened.
        if !handshake.finish(.opened(answer, session: opening.id)) {
            _ = endSession(opening.id, principal: call.principal)
        }
    }
}

extension AggregateServer: ServerObserver {
    package func serverCameUp(_ name: String) {
        for session in sessions.all { session.attachment.cameUp(name) }
        modern.cameUp(name)
    }

    package func serverWentDown(_ name: String) {
        for session in sessions.all { session.attachment.wentDown(name) }
        modern.wentDown(name)
    }
}
