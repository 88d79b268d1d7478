// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol

/// What an aggregate says of itself in its answer to `initialize` or to `server/discover`.
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
        let result = JSONValue.object([.init("protocolVersion", .string(version))] + introduction(lodgeVersion))
        return MessageBytes(bytes: MessageBuilder.result(id: id, result.serialized))
    }

    /// The answer to a modern client, which is good for nothing but the one moment since members come and go.
    func discovery(id: RawID, lodgeVersion: String) -> MessageBytes {
        let result = Discovery.result(
            from: .object(introduction(lodgeVersion)), withholding: [], caching: .never)
        return MessageBytes(bytes: MessageBuilder.result(id: id, result.serialized))
    }

    private func introduction(_ lodgeVersion: String) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = [
            .init("capabilities", capabilities), .init("serverInfo", Self.serverInfo(lodgeVersion)),
        ]
        if let instructions { members.append(.init("instructions", .string(instructions))) }
        return members
    }

    private static func serverInfo(_ lodgeVersion: String) -> JSONValue {
        ["name": "lodge", "version": .string(lodgeVersion)]
    }

    /// What a joined list has beside its entries in the modern era, as raw members.
    static func modernMembers(_ lodgeVersion: String) -> [UInt8] {
        let members: JSONValue = [
            "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
            "_meta": .object([.init(MetaKey.serverInfo, serverInfo(lodgeVersion))]),
        ]
        return Array(members.serialized.dropFirst().dropLast())
    }
}
