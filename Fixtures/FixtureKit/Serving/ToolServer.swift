// SPDX-License-Identifier: Apache-2.0

/// The least an MCP server can be: the handshake, `ping` and a list of tools. Everything else is an unknown method.
package struct ToolServer: RequestHandler {
    package let name: String
    package let tools: [Tool]
    package var honoursCancellation: Bool

    package init(_ name: String, honoursCancellation: Bool = true, tools: [Tool]) {
        self.name = name
        self.honoursCancellation = honoursCancellation
        self.tools = tools
    }

    package func reply(to request: Request, over _: Connection) -> Reply {
        switch request.method {
        case "initialize": .result(Self.welcome(request.params, name: name, capabilities: ["tools": [:]]))
        case "ping": .result([:])
        case "tools/list": .result(["tools": .array(tools.map(\.definition))])
        case "tools/call": call(request.params)
        default: .error(.unknownMethod(request.method))
        }
    }

    private func call(_ params: JSONValue) -> Reply {
        let name = params["name"]?.text ?? ""
        guard let tool = tools.first(where: { $0.name == name }) else {
            return .error(.invalidParams("unknown tool '\(name)'"))
        }
        return .later { try await tool.result(params, $0) }
    }

    /// The result of `initialize`.
    package static func welcome(_ params: JSONValue, name: String, capabilities: JSONValue) -> JSONValue {
        [
            "protocolVersion": .string(Revision(requested: params).rawValue),
            "capabilities": capabilities,
            "serverInfo": ["name": .string(name), "version": "1.0.0"],
        ]
    }
}
