// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// What an aggregate says of itself in its answer to `initialize`.
struct AggregateGreeting: Sendable {
    /// The servers in the order of configuration, with what each said or is taken to have.
    let members: [(server: String, greeting: MemberGreeting)]

    /// The lists whose changes are told.
    var announced: Set<String> { Set(ListKind.announced.filter(has)) }

    private func has(_ capability: String) -> Bool { members.contains { $0.greeting.has(capability) } }

    /// The union of what members declare, as far as the aggregate can keep it: no tasks, and no capability that it does
    /// not know. Changes of lists are declared even where a member does not, since members come and go.
    var capabilities: JSONValue {
        var union: [JSONValue.Member] = []
        for list in ListKind.announced where has(list) {
            var declared: [JSONValue.Member] = [.init("listChanged", true)]
            if list == "resources", members.contains(where: { $0.greeting.capabilities[list]?["subscribe"] == true }) {
                declared.append(.init("subscribe", true))
            }
            union.append(.init(list, .object(declared)))
        }
        for capability in ["logging", "completions"] where has(capability) { union.append(.init(capability, [:])) }
        let experiments = experiments
        if !experiments.isEmpty { union.append(.init("experimental", .object(experiments))) }
        return .object(union)
    }

    /// Of two members with the same experiment, the first one's is declared.
    private var experiments: [JSONValue.Member] {
        var all: [JSONValue.Member] = []
        for member in members.flatMap({ $0.greeting.capabilities["experimental"]?.members ?? [] })
        where !all.contains(where: { $0.name == member.name }) {
            all.append(member)
        }
        return all
    }

    /// Each server's instructions under its name; nil where none gives any.
    var instructions: String? {
        let parts = members.compactMap { server, greeting in
            greeting.instructions.map { "\(server):\n\($0)" }
        }
        return parts.isEmpty ? nil : parts.joined(separator: "\n\n")
    }

    func answer(id: RawID, version: String, lodgeVersion: String) -> MessageBytes {
        var result: [JSONValue.Member] = [
            .init("protocolVersion", .string(version)), .init("capabilities", capabilities),
            .init("serverInfo", ["name": "lodge", "version": .string(lodgeVersion)]),
        ]
        if let instructions { result.append(.init("instructions", .string(instructions))) }
        return MessageBytes(bytes: MessageBuilder.result(id: id, JSONValue.object(result).serialized))
    }
}
