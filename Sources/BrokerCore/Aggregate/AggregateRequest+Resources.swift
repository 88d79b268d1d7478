// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Synchronization

/// Requests that name a resource: which member they mean.
///
/// A URI under `lodge+<server>:` means that member. Another means the member that owns it by the lists; if none does,
/// the lists are asked for once; then the first member with a template that it fits; then the members in their order
/// until one does not answer with an error, since servers may have resources that they do not list.
extension AggregateRequest {
    /// `resources/read`, `resources/subscribe` and `resources/unsubscribe`.
    func resource(_ id: RawID, _ bytes: Span<UInt8>) -> Admission {
        guard let raw = message.envelope.uri, let uri = JSONString.decode(bytes, raw) else {
            return refuse(id, -32602, "the request needs params with a uri")
        }
        if let parts = MemberPrefix.split(uri: uri), let member = member(parts.server) {
            guard let stripped = message.replacing(raw, with: parts.uri) else {
                return refuse(id, -32602, "the request needs params with a uri")
            }
            note(parts.uri, member, underPrefix: true)
            let sink = ResourceNamesSink(sink, server: member.name) { _ in true }
            return forward(stripped, to: member, id, sink: sink)
        }
        if let owner = session.owner(of: uri), let member = member(owner) {
            note(uri, member)
            return forward(message, to: member, id)
        }
        let operation = session.begin(id, sink: sink)
        lookUp(operation) { [self] in
            let owner = session.owner(of: uri).flatMap(member)
            if let member = owner ?? session.state.withLock({ $0.known.templateOwner(of: uri, among: members) }) {
                note(uri, member)
                return session.send(message, to: member, operation, wrapped: true)
            }
            ask(withResources, uri, operation, refusal: nil)
        }
        return .pending(operation.ticket)
    }

    /// Keeps what a session watches, so that it is watched again when the member's session is a new one.
    private func note(_ uri: String, _ member: AggregateMember, underPrefix: Bool = false) {
        let buffer = message.bytes
        switch ClientRequest(message.envelope, in: buffer.readableBytesUInt8Span) {
        case .subscribe: session.watch(uri, of: member.name, underPrefix: underPrefix)
        case .unsubscribe: session.unwatch(uri, of: member.name)
        default: break
        }
    }

    /// Brings what is known of resources and templates up to date, where it is not.
    private func lookUp(_ operation: Operation, _ body: @escaping @Sendable () -> Void) {
        if session.state.withLock({ $0.known.isCurrent }) { return body() }
        ListCall.resources(of: members, source: session, operation: operation, surroundings: surroundings) {
            [session] resources, templates in
            session.state.withLock { $0.known.update(resources, templates) }
            body()
        }
    }

    private var withResources: [AggregateMember] {
        members.filter { session.greeting(of: $0)?.has("resources") == true }
    }

    /// Asks one member after the other; the first error is the answer where none succeeds.
    private func ask(
        _ members: [AggregateMember], _ uri: String, _ operation: Operation, refusal: MessageBytes?
    ) {
        guard let member = members.first else {
            let unknown = LodgeMessage.error(
                id: operation.id, code: -32002, message: "unknown resource: \(uri)", data: ["uri": .string(uri)])
            return operation.finish(refusal ?? unknown)
        }
        let rest = Array(members.dropFirst())
        session.withSession(of: member) { [self] opening in
            guard !operation.isOver else { return }
            guard case .open(let open) = opening else { return ask(rest, uri, operation, refusal: refusal) }
            let sink = AnswerSink { answer in
                guard answer.bytes.isError else {
                    note(uri, member)
                    return operation.finish(answer.bytes)
                }
                ask(rest, uri, operation, refusal: refusal ?? answer.bytes)
            }
            if operation.keep(member.relay.receive(message.addressed(to: open), sink: sink)) != nil {
                ask(rest, uri, operation, refusal: refusal)
            }
        }
    }

    // MARK: Completion

    /// `completion/complete`: its reference names a prompt, or a resource template.
    func complete(_ id: RawID, _ bytes: Span<UInt8>) -> Admission {
        guard let params = message.envelope.params,
            case .value(let reference) = JSONMembers.find("ref", in: bytes, object: params)
        else { return refuse(id, -32602, "completion/complete needs params with a ref") }
        if case .value(let raw) = JSONMembers.find("name", in: bytes, object: reference) {
            let name = JSONString.decode(bytes, raw) ?? ""
            guard let parts = MemberPrefix.split(name: name), let member = member(parts.server),
                let stripped = message.replacing(raw, with: parts.name)
            else { return refuse(id, -32602, "unknown prompt: \(name)") }
            return forward(stripped, to: member, id)
        }
        guard case .value(let raw) = JSONMembers.find("uri", in: bytes, object: reference),
            let uri = JSONString.decode(bytes, raw)
        else { return refuse(id, -32602, "the ref of completion/complete needs a name or a uri") }
        if let parts = MemberPrefix.split(uri: uri), let member = member(parts.server),
            let stripped = message.replacing(raw, with: parts.uri)
        {
            return forward(stripped, to: member, id)
        }
        let operation = session.begin(id, sink: sink)
        lookUp(operation) { [self] in
            let owner = session.state.withLock { $0.known.templates.owner(of: uri) } ?? session.owner(of: uri)
            guard let member = owner.flatMap(member) else {
                return operation.finish(
                    LodgeMessage.error(id: id, code: -32602, message: "unknown resource: \(uri)"))
            }
            session.send(message, to: member, operation, wrapped: true)
        }
        return .pending(operation.ticket)
    }
}

extension AggregateSession {
    func owner(of uri: String) -> String? { state.withLock { $0.known.resources.owner(of: uri) } }

    /// - Parameter underPrefix: whether the client names the resource with its server's prefix.
    func watch(_ uri: String, of member: String, underPrefix: Bool) {
        state.withLock { $0.members[member, default: Member()].subscriptions[uri] = underPrefix }
    }

    func unwatch(_ uri: String, of member: String) {
        state.withLock { $0.members[member]?.subscriptions[uri] = nil }
    }
}

extension MessageBytes {
    /// Whether the message is a JSON-RPC error, or nothing that can be read.
    var isError: Bool {
        let buffer = joined()
        return (try? MessageScanner.scan(buffer.readableBytesUInt8Span))?.kind != .response
    }
}
