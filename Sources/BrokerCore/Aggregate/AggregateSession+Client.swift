// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import NIOCore
import Synchronization

/// What the client of a session says that is no request, and the end of the session.
extension AggregateSession {
    /// Takes a notification of the client to the members that it means; one that means nobody goes nowhere.
    func notify(_ message: ClientMessage, members: [AggregateMember]) {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        switch ClientNotification(message.envelope, in: bytes) {
        case .initialized:
            state.withLock { $0.isInitialized = true }
            for (member, session) in open(among: members) { send(message, to: member, session) }
        case .cancelled: cancel(message, members: members)
        case .rootsListChanged:
            for (member, session) in open(among: members) where member.isolation == .client {
                send(message, to: member, session)
            }
        case .progress:
            guard let range = message.envelope.paramsProgressToken, let ticket = RawID.integer(in: bytes, range),
                let request = state.withLock({ $0.asked.request(ticket) }), let token = request.token
            else { return }
            send(LodgeMessage.replacing(range, with: token, in: message), of: request.member, members)
        case .other: break
        }
    }

    /// Takes the client's answer to the member that asked; one to nothing that was asked goes nowhere.
    func answer(_ message: ClientMessage, members: [AggregateMember]) {
        let buffer = message.bytes
        guard let range = message.envelope.id,
            let ticket = RawID.integer(in: buffer.readableBytesUInt8Span, range),
            let request = state.withLock({ $0.asked.take(ticket) })
        else { return }
        send(LodgeMessage.replacing(range, with: request.id, in: message), of: request.member, members)
    }

    private func send(_ message: ClientMessage, to member: AggregateMember, _ session: String) {
        _ = member.relay.receive(message.addressed(to: session), sink: AnswerSink { _ in })
    }

    private func send(_ message: MessageBytes, of name: String, _ members: [AggregateMember]) {
        guard let member = members.first(where: { $0.name == name }), let session = openSession(of: member),
            let message = ClientMessage(own: message, session: session, principal: principal)
        else { return }
        _ = member.relay.receive(message, sink: AnswerSink { _ in })
    }

    /// A cancellation means whatever goes on under its id: here, or at whichever member has the call.
    private func cancel(_ message: ClientMessage, members: [AggregateMember]) {
        let buffer = message.bytes
        guard let range = message.envelope.requestID else { return }
        let id = RawID(buffer.readableBytesUInt8Span, range)
        for operation in state.withLock({ state in state.operations.values.filter { $0.id == id } }) {
            operation.finish(CallFailure.cancelled(server: AggregateServer.reservedName).answer(id: id))
        }
        for (member, session) in open(among: members) { send(message, to: member, session) }
    }

    // MARK: Operations

    /// Begins a request of the client that takes several steps.
    func begin(_ id: RawID, sink: any CallSink) -> Operation {
        let operation = Operation(id: id, sink: sink) { [weak self] operation in
            self?.state.withLock { $0.operations[ObjectIdentifier(operation)] = nil }
        }
        let isEnded = state.withLock { state in
            if !state.isEnded { state.operations[ObjectIdentifier(operation)] = operation }
            return state.isEnded
        }
        if isEnded { operation.finish(CallFailure.sessionEnded(server: AggregateServer.reservedName).answer(id: id)) }
        return operation
    }

    // MARK: The end

    /// Ends the session with everything that belongs to it, at the members too; idempotent.
    func end(members: [AggregateMember]) {
        let last = state.withLock { state -> State? in
            guard !state.isEnded else { return nil }
            defer {
                state = State()
                state.isEnded = true
            }
            return state
        }
        guard let last else { return }
        for operation in last.operations.values {
            operation.finish(
                CallFailure.sessionEnded(server: AggregateServer.reservedName).answer(id: operation.id))
        }
        for member in members {
            guard let own = last.members[member.name] else { continue }
            own.ticket?.abandon()
            if let session = own.session { _ = member.relay.endSession(session, principal: principal) }
            guard case .opening(let waiters) = own.phase else { continue }
            for waiter in waiters { waiter(.failed(Self.ended(member), retryAfter: nil)) }
        }
        last.stream?.close()
    }

    /// Forgets a member that was taken out of the configuration.
    func remove(_ member: AggregateMember) {
        let (own, lists) = state.withLock { state -> (Member?, Set<String>) in
            let lists = state.lists(of: member.name)
            let own = state.members.removeValue(forKey: member.name)
            state.asked.removeAll(of: member.name)
            state.known.forget(member.name)
            return (own, own == nil ? [] : lists)
        }
        own?.ticket?.abandon()
        if let session = own?.session { _ = member.relay.endSession(session, principal: principal) }
        if case .opening(let waiters)? = own?.phase {
            for waiter in waiters { waiter(.failed(Self.ended(member), retryAfter: nil)) }
        }
        tellChanges(of: lists)
    }

    /// Keeps the members' sessions from being idle while the client takes what is written to its stream.
    func touch(members: [AggregateMember]) {
        for (member, session) in open(among: members) { member.relay.touch(session: session, principal: principal) }
    }

    /// Whether a member still has work for this session, as that member's own clock says.
    func isBusy(members: [AggregateMember]) -> Bool {
        open(among: members).contains { member, session in
            member.relay.protocolVersion(session: session, principal: principal) != nil
        }
    }
}
