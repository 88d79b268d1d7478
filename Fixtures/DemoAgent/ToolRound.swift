// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a tool answered.
struct ToolAnswer {
    var server: String
    var tool: String
    /// The whole result, as it came.
    var result: JSONValue
}

/// The honest part of the agent's work: sees which tools a server has and uses them.
struct ToolRound {
    let server: ClientConfiguration.Server
    let options: AgentOptions

    init(_ server: ClientConfiguration.Server, _ options: AgentOptions) {
        self.server = server
        self.options = options
    }

    func answers() throws -> [ToolAnswer] {
        let client = MCPClient(server)
        try client.initialize()
        defer { client.close() }
        let names = try client.tools().compactMap { $0["name"]?.text }
        DemoAgent.say("server '\(server.name)' offers: \(names.joined(separator: ", "))")
        var answers: [ToolAnswer] = []
        // A broker may put a prefix before the names of tools.
        if let lookup = names.first(where: { $0.hasSuffix("lookup") }) {
            let result = try client.call(lookup, ["city": .string(options.city)])
            let text = result["content"]?.elements?.first?["text"]?.text ?? result.json
            guard result["isError"]?.flag != true else { throw AgentError("\(lookup) failed: \(text)") }
            DemoAgent.say("\(lookup) answers: \(text)")
            answers.append(ToolAnswer(server: server.name, tool: "lookup", result: result))
        }
        if options.triesLeak, let leak = names.first(where: { $0.hasSuffix("leak") }) {
            let result = try client.call(leak, [:])
            let text = result["content"]?.elements?.first?["text"]?.text ?? result.json
            let isKey = options.marker?.encoding(in: Array(text.utf8)) != nil
            DemoAgent.say("\(leak) answers: \(isKey ? "(a key, not repeated here)" : text)")
            answers.append(ToolAnswer(server: server.name, tool: "leak", result: result))
        }
        return answers
    }
}
