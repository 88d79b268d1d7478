// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

/// A client of a running `lodge` over the 2024-11-05 transport: one connection for the stream, one for its messages.
struct SSEClient: Sendable {
    let stream: MCPClient
    let messages: MCPClient
    /// Where its messages go, as the first event said.
    let path: String

    /// Sends a message, which is taken with 202; what answers it comes on the stream.
    func send(_ body: String) async throws {
        let response = try await post(body)
        #expect(response.status == 202)
        #expect(response.text.isEmpty)
    }

    func post(_ body: String) async throws -> RawHTTPResponse {
        try await messages.connection.send(
            messages.request("POST", path, body: Array(body.utf8), ["Accept": nil]))
        return try await messages.connection.response()
    }

    /// The next message on the stream; nil at its end.
    func next() async throws -> String? { try await stream.connection.message()?.data }

    /// Sends a message and reads the next that comes.
    func ask(_ body: String) async throws -> String? {
        try await send(body)
        return try await next()
    }
}

extension LodgeProcess {
    /// The path of the 2024-11-05 transport beside the server's endpoint.
    var ssePath: String { path.dropLast("mcp".count) + "sse" }

    /// An open stream without a session.
    func openSSE(_ path: String? = nil) async throws -> SSEClient {
        let stream = try await stranger()
        try await stream.connection.send(stream.request("GET", path ?? ssePath))
        let head = try await stream.connection.head()
        try #require(head.status == 200)
        try #require(head["Content-Type"] == "text/event-stream")
        let endpoint = try #require(try await stream.connection.event())
        try #require(endpoint.name == "endpoint")
        return SSEClient(stream: stream, messages: try await stranger(), path: try #require(endpoint.data))
    }

    /// An initialized client of the 2024-11-05 transport.
    func sseClient(version: String = "2024-11-05", capabilities: String = "{}") async throws -> SSEClient {
        let client = try await openSSE()
        let answer = try await client.ask(MCPClient.initialize(version: version, capabilities: capabilities))
        let text = try #require(answer)
        let negotiated = try JSONValue.parse(Array(text.utf8))["result"]?["protocolVersion"]?.string
        try #require(negotiated == version)
        try await client.send(MCPClient.initialized)
        return client
    }
}
