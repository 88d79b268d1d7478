// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// One request of a modern client of an aggregate, on its way to the members that it means.
struct ModernAggregateRequest: Sendable {
    let request: ModernRequest
    let caller: ModernCaller
    let members: [AggregateMember]
    let sink: any CallSink
    let aggregate: ModernAggregate

    var message: ClientMessage { request.message }

    func admit() -> Admission {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        // What a rule for tools could be passed by is the business of the member that has the rule.
        if let member = Ambiguity.member(in: message.envelope, bytes, isPoliced: false) {
            return refuse(.ambiguous(member))
        }
        switch request.method {
        case .discover: return discover()
        case .listen: return listen(bytes)
        case .listTools: return list(.tools)
        case .listPrompts: return list(.prompts)
        case .listResources: return list(.resources)
        case .listTemplates: return list(.templates)
        case .readResource: return read(bytes)
        case .callTool: return callNamed("tool", bytes)
        case .getPrompt: return callNamed("prompt", bytes)
        case .removed: return refuse(.removedMethod(request.methodName))
        case .other where request.methodName == "completion/complete": return complete(bytes)
        // The ids of tasks are only a member's.
        case .task, .other: return refuse(.unknownMethod(request.methodName))
        }
    }

    func refuse(_ error: ModernError) -> Admission {
        sink.finish(error.answer(id: caller.id))
        return .pending(CallTicket {})
    }

    func member(_ name: String) -> AggregateMember? { members.first { $0.name == name } }

    func operation() -> Operation { Operation(id: caller.id, sink: sink) { _ in } }

    // MARK: Calls by name

    /// `tools/call` and `prompts/get`.
    private func callNamed(_ what: String, _ bytes: Span<UInt8>) -> Admission {
        guard let raw = message.envelope.name, let contents = JSONString.contents(of: raw, in: bytes) else {
            return refuse(.invalid("unknown \(what): "))
        }
        if let server = MemberPrefix.server(in: bytes, contents: contents),
            let member = members.first(where: { JSONString.equals(bytes, contents: server, $0.name) })
        {
            return forward(message.dropping(server.count + 2, of: raw, session: nil), to: member)
        }
        let name = JSONString.decode(bytes, contents: contents) ?? ""
        guard let parts = MemberPrefix.split(name: name), let member = member(parts.server),
            let stripped = message.replacing(raw, with: parts.name)
        else { return refuse(.invalid("unknown \(what): \(name)")) }
        return forward(stripped, to: member)
    }

    func forward(_ message: ClientMessage, to member: AggregateMember) -> Admission {
        member.relay.receive(message, sink: naming(member, sink))
    }

    /// A sink for a member's answer that names resources as the client knows them.
    func naming(_ member: AggregateMember, _ sink: any CallSink) -> any CallSink {
        guard aggregate.known.renames(member.name, for: caller.principal) else { return sink }
        return ResourceNamesSink(sink, server: member.name) { [caller, aggregate] uri in
            aggregate.known.with(caller.principal) { $0.resources.isPrefixed(uri, of: member.name) }
        }
    }

    // MARK: To several members

    private func list(_ kind: ListKind) -> Admission {
        guard message.envelope.cursor == nil else {
            return refuse(.invalid("unknown cursor; the lists of all servers have one page"))
        }
        let operation = operation()
        ListCall(kind, of: members, source: caller, operation: operation, surroundings: aggregate.surroundings) {
            [caller, aggregate] parts in
            let entries = aggregate.known.with(caller.principal) { $0.merge(parts, kind) }
            operation.finish(
                ListMerge.answer(
                    id: caller.id, entries, kind, adding: AggregateGreeting.modernMembers(aggregate.version)))
        }.start()
        return .pending(operation.ticket)
    }

    /// `server/discover`: what the members that are there say of themselves, taken together.
    ///
    /// Where not one of them says anything they are taken to have all lists, as in the legacy era, so that a client that
    /// asks only once looks for them later.
    private func discover() -> Admission {
        let operation = operation()
        let asked = members.filter(\.relay.isReady)
        let round = MemberRound<MemberGreeting>(
            asked.count, within: aggregate.surroundings.lists.time, delays: aggregate.surroundings.delays
        ) { [caller, aggregate, members] greetings in
            var present = zip(asked, greetings).compactMap { member, greeting in greeting.map { (member.name, $0) } }
            if present.isEmpty { present = members.map { ($0.name, .assumed) } }
            operation.finish(
                AggregateGreeting(members: present).discovery(id: caller.id, lodgeVersion: aggregate.version))
        }
        round.start()
        for (index, member) in asked.enumerated() {
            guard let message = caller.request("server/discover") else {
                round.end(index, nil)
                continue
            }
            let sink = AnswerSink { answer in
                round.end(index, answer.bytes.isError ? nil : MemberGreeting(answer.bytes))
            }
            if operation.keep(member.relay.receive(message, sink: sink)) != nil { round.end(index, nil) }
        }
        return .pending(operation.ticket)
    }
}

extension ModernError {
    static func invalid(_ message: String) -> ModernError {
        ModernError(code: ErrorCode.invalidParams, message: message)
    }

    static func unknownResource(_ uri: String) -> ModernError {
        ModernError(
            code: ErrorCode.invalidParams, message: "unknown resource: \(uri)", data: ["uri": .string(uri)])
    }
}
