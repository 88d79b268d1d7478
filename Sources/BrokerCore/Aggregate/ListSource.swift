// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Synchronization

/// The way on which a client's lists are asked of members, in the words of its era.
///
/// It neither joins pages nor knows limits; ``ListCall`` does.
protocol ListSource: Sendable {
    /// Asks a member for one page. The body is called once, perhaps before this returns, or never where the operation
    /// is over; what is under way is kept by the operation.
    ///
    /// - Parameter cursor: as the member wrote it; nil asks for the first page.
    func page(
        _ kind: ListKind, cursor: [UInt8]?, of member: AggregateMember, for operation: Operation,
        _ body: @escaping @Sendable (ListReply) -> Void)
    /// Notes that a member was left out of a list.
    func isMissing(_ member: String)
    /// Notes that a member is not asked because it is down.
    func isDown(_ member: AggregateMember)
}

/// What became of asking a member for a page.
enum ListReply: Sendable {
    case answer(MessageBytes)
    /// The member has no such list, as it said of itself.
    case hasNone
    case unreachable
}

/// A legacy client asks over its sessions with the members.
extension AggregateSession: ListSource {
    func page(
        _ kind: ListKind, cursor: [UInt8]?, of member: AggregateMember, for operation: Operation,
        _ body: @escaping @Sendable (ListReply) -> Void
    ) {
        page(kind, cursor: cursor, of: member, for: operation, mayReopen: cursor == nil, body)
    }

    private func page(
        _ kind: ListKind, cursor: [UInt8]?, of member: AggregateMember, for operation: Operation, mayReopen: Bool,
        _ body: @escaping @Sendable (ListReply) -> Void
    ) {
        withSession(of: member) { [self] opening in
            guard !operation.isOver else { return }
            guard case .open(let id) = opening else { return body(.unreachable) }
            if greeting(of: member)?.has(kind.capability) == false { return body(.hasNone) }
            let params = cursor.map { Array(#"{"cursor":"#.utf8) + $0 + [UInt8(ascii: "}")] }
            let request = MessageBytes(
                bytes: MessageBuilder.request(id: operation.id, method: kind.method, params: params))
            guard let message = ClientMessage(own: request, session: id, principal: principal) else {
                return body(.unreachable)
            }
            let admission = member.relay.receive(message, sink: AnswerSink { body(.answer($0.bytes)) })
            guard operation.keep(admission) != nil else { return }
            tellChanges(of: lost(id, of: member.name))
            guard mayReopen else { return body(.unreachable) }
            page(kind, cursor: cursor, of: member, for: operation, mayReopen: false, body)
        }
    }

    func isMissing(_ member: String) {
        state.withLock { $0.members[member, default: Member()].isMissing = true }
    }

    /// Whoever comes next is a new attempt for a server that lives and refused the last one.
    func isDown(_ member: AggregateMember) {
        isMissing(member.name)
        if openSession(of: member) == nil { withSession(of: member) { _ in } }
    }
}
