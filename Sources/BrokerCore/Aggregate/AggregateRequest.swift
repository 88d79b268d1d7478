// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import NIOCore
import Synchronization

/// One request of a client of an aggregate, on its way to the members that it means.
///
/// A call of a tool takes the short way: the prefix names the member, the rest of the message goes to it as it came.
struct AggregateRequest: Sendable {
    let message: ClientMessage
    let session: AggregateSession
    let members: [AggregateMember]
    let sink: any CallSink
    let surroundings: AggregateServer.Surroundings

    func admit() -> Admission {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let idRange = message.envelope.id else { return .accepted }
        let id = RawID(bytes, idRange)
        switch ClientRequest(message.envelope, in: bytes) {
        case .callTool:
            if message.envelope.task != nil { return refuse(id, -32601, Self.noTasks) }
            return callNamed("tool", id, bytes)
        case .listTools: return list(.tools, id)
        case .ping: return answer(LodgeMessage.emptyResult(id: id))
        case .subscribe, .unsubscribe: return resource(id, bytes)
        case .setLevel: return setLevel(id, bytes)
        case .task: return refuse(id, -32601, Self.noTasks)
        case .initialize, .other: return other(id, bytes)
        }
    }

    static let noTasks = "tasks are not relayed by the endpoint of all servers; use the server's own"

    private func other(_ id: RawID, _ bytes: Span<UInt8>) -> Admission {
        let method = message.envelope.method.flatMap { JSONString.decode(bytes, contents: $0) } ?? ""
        switch method {
        case "prompts/get": return callNamed("prompt", id, bytes)
        case "prompts/list": return list(.prompts, id)
        case "resources/list": return list(.resources, id)
        case "resources/templates/list": return list(.templates, id)
        case "resources/read": return resource(id, bytes)
        case "completion/complete": return complete(id, bytes)
        default: return refuse(id, -32601, "method not found: \(method)")
        }
    }

    // MARK: Answers of the aggregate's own

    func answer(_ message: MessageBytes) -> Admission {
        sink.finish(.message(message))
        return .pending(CallTicket {})
    }

    func refuse(_ id: RawID, _ code: Int, _ text: String, data: JSONValue? = nil) -> Admission {
        answer(LodgeMessage.error(id: id, code: code, message: text, data: data))
    }

    // MARK: Calls by name

    /// `tools/call` and `prompts/get`.
    private func callNamed(_ what: String, _ id: RawID, _ bytes: Span<UInt8>) -> Admission {
        guard let raw = message.envelope.name, let contents = JSONString.contents(of: raw, in: bytes) else {
            return refuse(id, -32602, "unknown \(what): ")
        }
        if let server = MemberPrefix.server(in: bytes, contents: contents), let member = member(bytes, server) {
            let way = session.way(to: member)
            let message = message.dropping(server.count + 2, of: raw, session: way.session)
            return forward(message, to: member, id, way: way)
        }
        let name = JSONString.decode(bytes, contents: contents) ?? ""
        guard let parts = MemberPrefix.split(name: name), let member = member(parts.server),
            let message = message.replacing(raw, with: parts.name)
        else { return refuse(id, -32602, "unknown \(what): \(name)") }
        return forward(message, to: member, id)
    }

    private func member(_ bytes: Span<UInt8>, _ range: Range<Int>) -> AggregateMember? {
        members.first { JSONString.equals(bytes, contents: range, $0.name) }
    }

    func member(_ name: String) -> AggregateMember? { members.first { $0.name == name } }

    /// Sends a request to a member, at once where it has a session.
    ///
    /// - Parameters:
    ///   - own: takes the answer; nil is the client's own sink.
    ///   - known: what the session says of the way, if that was asked already.
    func forward(
        _ message: ClientMessage, to member: AggregateMember, _ id: RawID, sink own: (any CallSink)? = nil,
        way known: AggregateSession.Way? = nil
    ) -> Admission {
        var sink = own ?? sink
        let way = known ?? session.way(to: member)
        if own == nil, way.renamesResources {
            sink = ResourceNamesSink(sink, server: member.name) { [session] uri in
                session.state.withLock { $0.isPrefixed(uri, of: member.name) }
            }
        }
        if member.isolation.asksClients { sink = MemberSink(sink, member: member, session: session) }
        if let open = way.session {
            let addressed = message.session == open ? message : message.addressed(to: open)
            let admission = member.relay.receive(addressed, sink: sink)
            guard case .refused(.unknownSession, _) = admission else { return admission }
            session.tellChanges(of: session.lost(open, of: member.name))
        }
        let operation = session.begin(id, sink: sink)
        session.send(message, to: member, operation)
        return .pending(operation.ticket)
    }

    // MARK: To several members

    private func list(_ kind: ListKind, _ id: RawID) -> Admission {
        guard message.envelope.cursor == nil else {
            return refuse(id, -32602, "unknown cursor; the lists of all servers have one page")
        }
        let operation = session.begin(id, sink: sink)
        ListCall(kind, of: members, source: session, operation: operation, surroundings: surroundings) {
            [session] parts in
            let entries = session.state.withLock { $0.known.merge(parts, kind) }
            operation.finish(ListMerge.answer(id: id, entries, kind))
        }.start()
        return .pending(operation.ticket)
    }

    /// `logging/setLevel` goes to every member that logs, and to those whose session is opened later.
    private func setLevel(_ id: RawID, _ bytes: Span<UInt8>) -> Admission {
        guard message.envelope.logLevel(in: bytes) != nil else {
            return refuse(
                id, -32602,
                "unknown log level; use one of debug, info, notice, warning, error, critical, "
                    + "alert, emergency")
        }
        session.state.withLock { $0.level = message.kept }
        for (member, open) in session.open(among: members)
        where session.greeting(of: member)?.has("logging") == true {
            _ = member.relay.receive(message.addressed(to: open), sink: AnswerSink { _ in })
        }
        return answer(LodgeMessage.emptyResult(id: id))
    }
}

extension AggregateSession {
    /// Sends a request once the member's session is open; what it becomes ends the operation.
    ///
    /// - Parameter wrapped: whether what a member asks meanwhile has to be renumbered on this way.
    func send(_ message: ClientMessage, to member: AggregateMember, _ operation: Operation, wrapped: Bool = false) {
        var sink: any CallSink = OperationSink(operation)
        if wrapped, member.isolation.asksClients { sink = MemberSink(sink, member: member, session: self) }
        let last = sink
        withSession(of: member) { [self] opening in
            guard !operation.isOver else { return }
            switch opening {
            case .failed(let error, _): operation.finish(LodgeMessage.answered(error, id: operation.id))
            case .open(let session):
                let admission = member.relay.receive(message.addressed(to: session), sink: last)
                guard operation.keep(admission) != nil else { return }
                tellChanges(of: lost(session, of: member.name))
                operation.finish(CallFailure.sessionEnded(server: member.name).answer(id: operation.id))
            }
        }
    }

    /// A member was added to the configuration: its lists are news.
    func added(_ member: AggregateMember) {
        let lists = state.withLock { state -> Set<String> in
            guard !state.isEnded else { return [] }
            state.members[member.name, default: Member()].isMissing = !member.relay.isReady
            return member.relay.isReady ? state.announced : []
        }
        tellChanges(of: lists)
    }
}

/// The sink of an operation's last step.
final class OperationSink: CallSink {
    private let operation: Operation

    init(_ operation: Operation) { self.operation = operation }

    var acceptsStream: Bool { operation.acceptsStream }
    func deliver(_ message: MessageBytes) { operation.deliver(message) }
    func finish(_ answer: Answer) { operation.finish(answer) }
}
