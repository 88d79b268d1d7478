// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import Testing

@testable import BrokerCore

/// What is listed can be called, and what is not listed cannot, whatever the rules and the server's tools.
@Suite("Listed is callable")
struct ToolPolicyPropertyTests {
    /// Few names, many of which fit many patterns, so that rules meet.
    private static let names = ["a", "b", "ab", "ba", "abc", "x"]

    /// A pattern, and what it means, told without the code under test.
    private struct Rule {
        let text: String
        let fits: (String) -> Bool

        static func random(_ random: inout SeededGenerator) -> Rule {
            let name = random.pick(names) ?? "a"
            return switch random.below(6) {
            case 0: Rule(text: "*") { _ in true }
            case 1: Rule(text: name + "*") { $0.hasPrefix(name) }
            case 2: Rule(text: "*" + name) { $0.hasSuffix(name) }
            case 3: Rule(text: "mcp__files__\(name)") { $0 == name }
            case 4: Rule(text: "mcp__other__\(name)") { _ in false }
            default: Rule(text: name) { $0 == name }
            }
        }
    }

    private struct Scene {
        var allowed: [Rule]?
        var denied: [Rule] = []
        var renamed: [String: String] = [:]
        var tools: [String]

        init(_ random: inout SeededGenerator) {
            if random.below(3) > 0 { allowed = (0..<random.below(3)).map { _ in Rule.random(&random) } }
            denied = (0..<random.below(2)).map { _ in Rule.random(&random) }
            for _ in 0..<random.below(4) {
                let (own, new) = (random.pick(names) ?? "a", random.pick(names + ["n"]) ?? "n")
                if !renamed.values.contains(new) { renamed[own] = new }
            }
            tools = names.filter { _ in random.below(4) > 0 }.shuffled(using: &random)
        }

        func policy() throws -> ToolPolicy {
            func patterns(_ rules: [Rule]) throws -> [ToolPattern] { try rules.map { try ToolPattern.parse($0.text) } }
            return ToolPolicy(
                server: try ServerName("files"),
                rules: ToolRules(allowed: try allowed.map(patterns), denied: try patterns(denied), renamed: renamed))
        }

        func mayBeUsed(_ own: String) -> Bool {
            (allowed?.contains { $0.fits(own) } ?? true) && !denied.contains { $0.fits(own) }
        }
    }

    /// What a client sees listed: the server's own names by those for clients; the entries but for the name.
    private func listed(_ scene: Scene, _ server: ServerUnderPolicy) throws -> [(name: String, own: String)] {
        let tools = scene.tools.map { tool -> JSONValue in ["x": 15, "name": .string(tool), "own": .string(tool)] }
        let answer: JSONValue = ["id": 2, "result": ["tools": .array(tools), "nextCursor": "c"]]
        let body = try #require(
            server.ask(
                #"{"id":1,"method":"tools/list"}"#, answer: String(decoding: answer.serialized, as: UTF8.self)
            ).first)
        let result = try #require(JSONValue.parse(Array(body.utf8))["result"])
        #expect(result["nextCursor"] == "c")
        return try #require(result["tools"]?.elements).map { tool in
            let own = try #require(tool["own"]?.string)
            #expect(tool["x"] == 15)
            #expect(tool.members?.count == 3)
            return (name: try #require(tool["name"]?.string), own: own)
        }
    }

    /// The server's own name under which a call reached it; nil where it was refused.
    private func called(_ name: String, _ server: ServerUnderPolicy) throws -> String? {
        let before = server.connection.sent.count
        let bodies = try server.ask(Sample.call(id: "1", tool: name))
        guard server.connection.sent.count > before, let sent = server.connection.sent.last else {
            #expect(
                bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool: \#(name)"}}"#])
            return nil
        }
        return try JSONValue.parse(Array(sent.utf8))["params"]?["name"]?.string
    }

    @Test("with random rules and random tools", arguments: 0..<300)
    func random(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let scene = Scene(&random)
        let server = try ServerUnderPolicy(scene.policy())
        let listed = try listed(scene, server)
        #expect(Set(listed.map(\.name)).count == listed.count, "two tools of one name")
        for tool in listed {
            #expect(scene.mayBeUsed(tool.own))
            #expect(tool.name == scene.renamed[tool.own] ?? tool.own)
        }
        var callable: [String: String] = [:]
        for name in Self.names + ["n"] {
            guard let own = try called(name, server) else { continue }
            #expect(scene.mayBeUsed(own))
            // A name that stands for a tool which the server does not have is the server's to refuse.
            if scene.tools.contains(own) { callable[name] = own }
        }
        #expect(callable == Dictionary(listed.map { ($0.name, $0.own) }) { first, _ in first })
    }
}
