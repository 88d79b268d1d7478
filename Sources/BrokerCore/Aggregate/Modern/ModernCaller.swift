// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// Who a modern request came from, as far as requests of the aggregate's own in that client's name need it.
///
/// It is not a client's identity: a principal may have many clients, and each request says anew what its client can.
struct ModernCaller: Sendable {
    let id: RawID
    let principal: Principal
    /// The servers of its grant.
    let servers: Grant.Servers
    /// The raw object of `params._meta`, on one line.
    private let meta: [UInt8]

    /// Nil for a message that has no id or no metadata, which is no modern request.
    init?(_ message: ClientMessage) {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let id = message.envelope.id, let range = message.envelope.meta else { return nil }
        var meta = Array(copying: bytes.extracting(range))
        LineBreaks.blank(&meta)
        self.id = RawID(bytes, id)
        self.meta = meta
        (principal, servers) = (message.principal, message.servers)
    }

    /// A request with the client's metadata, under the id of its own request.
    ///
    /// - Parameter params: raw members that follow `_meta`, without a comma around them.
    func request(_ method: String, params: [UInt8] = []) -> ClientMessage? {
        var all = Array(#"{"_meta":"#.utf8) + meta
        if !params.isEmpty { all += [UInt8(ascii: ",")] + params }
        all.append(UInt8(ascii: "}"))
        let bytes = ByteBuffer(bytes: MessageBuilder.request(id: id, method: method, params: all))
        guard let envelope = try? MessageScanner.scan(bytes.readableBytesUInt8Span) else { return nil }
        return ClientMessage(bytes: bytes, envelope: envelope, session: nil, principal: principal, servers: servers)
    }
}

/// A modern client's lists are asked of members with its own metadata; nothing is remembered of the members.
extension ModernCaller: ListSource {
    func page(
        _ kind: ListKind, cursor: [UInt8]?, of member: AggregateMember, for operation: Operation,
        _ body: @escaping @Sendable (ListReply) -> Void
    ) {
        guard let message = request(kind.method, params: cursor.map { Array(#""cursor":"#.utf8) + $0 } ?? []) else {
            return body(.unreachable)
        }
        let admission = member.relay.receive(message, sink: AnswerSink { body(.answer($0.bytes)) })
        if operation.keep(admission) != nil { body(.unreachable) }
    }

    /// Whoever listens is told by the member's own coming and going.
    func isMissing(_ member: String) {}
    func isDown(_ member: AggregateMember) {}
}
