// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

/// What the proxy of a clawdapus pod sends to any endpoint, as a script: one session for all, ids always 1 and 2.
///
/// It opens its session when it has none, and again, once a call, on 400 or 404.
struct CllamaClient {
    /// It takes no longer answer, `initialize` included.
    static let limit = 16 * 1024

    private let client: MCPClient
    private var session: String?
    private var version: String?
    /// How often it opened a session.
    private(set) var handshakes = 0

    init(_ lodge: LodgeProcess) async throws { client = try await lodge.stranger() }

    private func post(_ body: String, method: String, tool: String? = nil) async throws -> RawHTTPResponse {
        // The name of a service in the pod, which Lodge cannot know.
        var headers: [String: String?] = ["Host": "tools:8080", "MCP-Method": method, "MCP-Name": tool]
        headers["MCP-Session-Id"] = .some(session)
        headers["MCP-Protocol-Version"] = .some(version)
        let response = try await client.post(body, headers)
        #expect(response.body.count < Self.limit)
        return response
    }

    private mutating func initialize() async throws {
        (session, version) = (nil, nil)
        let answer = try await post(
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#
                + #""clientInfo":{"name":"cllama","version":"1"}}}"#, method: "initialize")
        try #require(answer.status == 200)
        #expect(answer["Content-Type"] == "application/json")
        #expect(answer.json?["id"] == 1)
        (session, version) = (answer["MCP-Session-Id"], answer.json?["result"]?["protocolVersion"]?.string)
        try #require(session != nil && version != nil)
        let told = try await post(MCPClient.initialized, method: "notifications/initialized")
        #expect(told.status == 202)
        #expect(told.body.isEmpty)
        handshakes += 1
    }

    /// Calls a tool, through a new session where the old one is gone.
    mutating func call(_ tool: String, _ arguments: String) async throws -> RawHTTPResponse {
        let message = MCPClient.call(tool, arguments, id: "2")
        if session == nil { try await initialize() }
        let answer = try await post(message, method: "tools/call", tool: tool)
        guard answer.status == 400 || answer.status == 404 else { return answer }
        try await initialize()
        return try await post(message, method: "tools/call", tool: tool)
    }
}

/// What `claw discover` sends, as a script: it waits for health, and takes these statuses and JSON alone.
enum DiscoverClient {
    static func tools(of lodge: LodgeProcess) async throws -> [JSONValue] {
        let client = try await lodge.stranger()
        let isHealthy = try await eventually(within: .seconds(30)) {
            try await client.ask("GET", "/healthz", ["Authorization": nil]).status == 200
        }
        try #require(isHealthy)
        let answer = try await client.post(
            #"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#
                + #""clientInfo":{"name":"claw-discover","version":"1"}}}"#)
        try #require(answer.status == 200)
        #expect(answer["Content-Type"] == "application/json")
        let session = try #require(answer["MCP-Session-Id"])
        let told = try await client.post(MCPClient.initialized, ["MCP-Session-Id": session])
        try #require(told.status == 202)
        let list = try await client.post(
            #"{"jsonrpc":"2.0","id":2,"method":"tools/list","params":{}}"#, ["MCP-Session-Id": session])
        try #require(list.status == 200)
        #expect(list["Content-Type"] == "application/json")
        #expect(list.json?["id"] == 2)
        return try #require(list.json?["result"]?["tools"]?.elements)
    }
}
