// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Requests of modern clients that name a resource: which member they mean.
///
/// The rules are those of a session (`AggregateRequest+Resources.swift`), with what the principal knows in its place.
extension ModernAggregateRequest {
    /// `resources/read`.
    func read(_ bytes: Span<UInt8>) -> Admission {
        guard let raw = message.envelope.uri, let uri = JSONString.decode(bytes, raw) else {
            return refuse(.invalid("the request needs params with a uri"))
        }
        if let parts = MemberPrefix.split(uri: uri), let member = member(parts.server),
            let stripped = message.replacing(raw, with: parts.uri)
        {
            return member.relay.receive(stripped, sink: ResourceNamesSink(sink, server: member.name) { _ in true })
        }
        if let owner = owner(of: uri) { return forward(message, to: owner) }
        let operation = operation()
        lookUp(operation) { [self] in
            if let member = owner(of: uri) ?? templateOwner(of: uri) { return send(message, to: member, operation) }
            ask(members.filter(\.relay.isReady), uri, operation, refusal: nil)
        }
        return .pending(operation.ticket)
    }

    func owner(of uri: String) -> AggregateMember? {
        aggregate.known.with(caller.principal) { $0.resources.owner(of: uri) }.flatMap(member)
    }

    func templateOwner(of uri: String) -> AggregateMember? {
        let known = aggregate.known.with(caller.principal) { $0 }
        return known.templateOwner(of: uri, among: members)
    }

    /// Brings what the principal knows of resources and templates up to date, where it is not.
    func lookUp(_ operation: Operation, _ body: @escaping @Sendable () -> Void) {
        if aggregate.known.with(caller.principal, { $0.isCurrent }) { return body() }
        ListCall.resources(
            of: members, source: caller, operation: operation, surroundings: aggregate.surroundings
        ) { [caller, aggregate] resources, templates in
            aggregate.known.with(caller.principal) { $0.update(resources, templates) }
            body()
        }
    }

    private func send(_ message: ClientMessage, to member: AggregateMember, _ operation: Operation) {
        let admission = member.relay.receive(message, sink: naming(member, OperationSink(operation)))
        if let refusal = operation.keep(admission) { operation.finish(refusal) }
    }

    /// Asks one member after the other; the first error is the answer where none succeeds.
    ///
    /// That a member does not have the method says nothing of the resource.
    private func ask(_ members: [AggregateMember], _ uri: String, _ operation: Operation, refusal: Answer?) {
        guard let member = members.first else {
            operation.finish(refusal ?? ModernError.unknownResource(uri).answer(id: caller.id))
            return
        }
        let rest = Array(members.dropFirst())
        let sink = AnswerSink { [self] answer in
            guard !operation.isOver else { return }
            switch answer {
            case .failed(_, code: ErrorCode.methodNotFound): ask(rest, uri, operation, refusal: refusal)
            case .failed: ask(rest, uri, operation, refusal: refusal ?? answer)
            default: operation.finish(answer)
            }
        }
        if operation.keep(member.relay.receive(message, sink: naming(member, sink))) != nil {
            ask(rest, uri, operation, refusal: refusal)
        }
    }

    // MARK: Completion

    /// `completion/complete`: its reference names a prompt, or a resource template.
    func complete(_ bytes: Span<UInt8>) -> Admission {
        guard let params = message.envelope.params,
            case .value(let reference) = JSONMembers.find("ref", in: bytes, object: params)
        else { return refuse(.invalid("completion/complete needs params with a ref")) }
        if case .value(let raw) = JSONMembers.find("name", in: bytes, object: reference) {
            let name = JSONString.decode(bytes, raw) ?? ""
            guard let parts = MemberPrefix.split(name: name), let member = member(parts.server),
                let stripped = message.replacing(raw, with: parts.name)
            else { return refuse(.invalid("unknown prompt: \(name)")) }
            return forward(stripped, to: member)
        }
        guard case .value(let raw) = JSONMembers.find("uri", in: bytes, object: reference),
            let uri = JSONString.decode(bytes, raw)
        else { return refuse(.invalid("the ref of completion/complete needs a name or a uri")) }
        if let parts = MemberPrefix.split(uri: uri), let member = member(parts.server),
            let stripped = message.replacing(raw, with: parts.uri)
        {
            return forward(stripped, to: member)
        }
        let operation = operation()
        lookUp(operation) { [self] in
            let owner = aggregate.known.with(caller.principal) {
                $0.templates.owner(of: uri) ?? $0.resources.owner(of: uri)
            }
            guard let member = owner.flatMap(member) else {
                operation.finish(ModernError.unknownResource(uri).answer(id: caller.id))
                return
            }
            send(message, to: member, operation)
        }
        return .pending(operation.ticket)
    }

    // MARK: Listening

    /// `subscriptions/listen`.
    func listen(_ bytes: Span<UInt8>) -> Admission {
        let params = message.envelope.params.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
        guard let wanted = ListenFilter(params?["notifications"]) else { return refuse(.malformedFilter) }
        let (listener, operation) = aggregate.listener(caller, wanted, sink: sink)
        let begin: @Sendable () -> Void = { [self] in listener.begin(parts(of: wanted)) }
        let isKnown = wanted.resources.allSatisfy { uri in
            MemberPrefix.split(uri: uri).flatMap { member($0.server) } != nil || owner(of: uri) != nil
        }
        if isKnown { begin() } else { lookUp(operation, begin) }
        return .pending(operation.ticket)
    }

    /// What each member has to watch: all lists that are wanted, and the resources that it has.
    ///
    /// A resource that nobody is known to have is watched at every member.
    private func parts(of wanted: ListenFilter) -> [(AggregateMember, ListenPart)] {
        var parts = members.map { ($0, ListenPart(lists: wanted.lists)) }
        for uri in wanted.resources {
            let split = MemberPrefix.split(uri: uri)
            let prefixed = split.flatMap { member($0.server) }
            let owner = prefixed ?? owner(of: uri) ?? templateOwner(of: uri)
            let name = prefixed == nil ? uri : split?.uri ?? uri
            for index in parts.indices where owner.map({ $0.name == parts[index].0.name }) ?? true {
                parts[index].1.resources[name, default: []].append(uri)
            }
        }
        return parts
    }
}
