// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// A session with one MCP server over Streamable HTTP, revision 2025-11-25: one connection for each message.
///
/// It declares no capability, so the server has nothing to ask of it; notifications on the way to an answer are
/// passed over.
final class MCPClient {
    private let server: ClientConfiguration.Server
    private var session: String?
    private var revision: String?
    private var lastID = 0
    /// Milliseconds without a byte after which an answer is given up.
    private static let patience: Int32 = 30_000

    init(_ server: ClientConfiguration.Server) { self.server = server }

    func initialize() throws {
        let result = try request(
            "initialize",
            [
                "protocolVersion": .string(Revision.latest.rawValue), "capabilities": [:],
                "clientInfo": ["name": "demo-agent", "version": "1.0.0"],
            ])
        revision = result["protocolVersion"]?.text
        _ = try exchange("POST", Message.notification("notifications/initialized")) { $0.isComplete }
    }

    /// All tools, page after page.
    func tools() throws -> [JSONValue] {
        var tools: [JSONValue] = []
        var cursor: JSONValue?
        repeat {
            var params: JSONValue = [:]
            params["cursor"] = cursor
            let page = try request("tools/list", params)
            tools += page["tools"]?.elements ?? []
            cursor = page["nextCursor"]
        } while cursor != nil
        return tools
    }

    func call(_ tool: String, _ arguments: JSONValue) throws -> JSONValue {
        try request("tools/call", ["name": .string(tool), "arguments": arguments])
    }

    /// Ends the session; a server may refuse, and then it ends by itself some day.
    func close() {
        guard session != nil else { return }
        _ = try? exchange("DELETE", nil) { $0.isComplete }
    }

    private func request(_ method: String, _ params: JSONValue) throws -> JSONValue {
        lastID += 1
        let id = JSONValue.integer(lastID)
        func answer(in response: HTTPResponse) -> JSONValue? {
            response.messages.first { $0["id"] == id && $0["method"] == nil }
        }
        let response = try exchange("POST", Message.request(id, method, params)) {
            $0.isComplete || answer(in: $0) != nil
        }
        guard let answer = answer(in: response) else {
            throw AgentError("server '\(server.name)' answered \(method) with status \(response.status) and no result")
        }
        if let error = answer["error"] {
            let error = RPCError(error)
            throw AgentError("server '\(server.name)' refused \(method): \(error.message) (\(error.code))")
        }
        session = response.header("mcp-session-id") ?? session
        return answer["result"] ?? [:]
    }

    /// Sends one message and reads until `isEnough` or the end of the connection.
    private func exchange(
        _ verb: String, _ message: JSONValue?, until isEnough: (HTTPResponse) -> Bool
    ) throws -> HTTPResponse {
        let connection = try server.url.connect()
        defer { connection.close() }
        try connection.write(head(verb, message?.bytes ?? []))
        var received: [UInt8] = []
        while connection.hasInput(within: Self.patience) {
            let count = try connection.read(atMost: 65_536, into: &received)
            let response = HTTPResponse(received)
            if let response, count == 0 || isEnough(response) { return response }
            if count == 0 { throw AgentError("server '\(server.name)' closed the connection without an answer") }
        }
        throw AgentError("server '\(server.name)' did not answer within \(Self.patience / 1_000) seconds")
    }

    private func head(_ verb: String, _ body: [UInt8]) -> [UInt8] {
        var lines = [
            "\(verb) \(server.url.path) HTTP/1.1", "Host: \(server.url.authority)", "Connection: close",
            "Accept: application/json, text/event-stream", "Content-Type: application/json",
            "Content-Length: \(body.count)",
        ]
        lines += server.headers.map { "\($0.name): \($0.value)" }
        if let session { lines.append("Mcp-Session-Id: \(session)") }
        if let revision { lines.append("MCP-Protocol-Version: \(revision)") }
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
    }
}
