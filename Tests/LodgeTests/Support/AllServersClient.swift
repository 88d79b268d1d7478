// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

/// A client of the endpoint of all servers: one connection, kept alive, and a session.
struct AllServersClient: Sendable {
    static let path = "/all/mcp"

    let connection: RawHTTPClient
    private let ready: ReadyFacts
    private let session: String

    /// Opens a session.
    init(_ ready: ReadyFacts, capabilities: String = "{}") async throws {
        connection = try await Self.connect(ready)
        let hello = Self.post(MCPClient.initialize(capabilities: capabilities), ready, session: nil)
        try await connection.send(hello)
        let answer = try await connection.response()
        guard let session = answer["Mcp-Session-Id"] else { throw LodgeProcessError("no session: \(answer.text)") }
        (self.ready, self.session) = (ready, session)
        #expect(try await post(MCPClient.initialized).status == 202)
    }

    private init(_ connection: RawHTTPClient, _ other: AllServersClient) {
        self.connection = connection
        (ready, session) = (other.ready, other.session)
    }

    private static func connect(_ ready: ReadyFacts) async throws -> RawHTTPClient {
        try await RawHTTPClient.connect(to: .tcp(host: "127.0.0.1", port: ready.port), limit: .seconds(20))
    }

    /// The same session over a connection of its own.
    func another() async throws -> AllServersClient { Self(try await Self.connect(ready), self) }

    /// The same session over a connection that is its own stream.
    func stream() async throws -> RawHTTPClient {
        let stream = try await Self.connect(ready)
        try await stream.send(
            ByteBuffer(
                string: "GET \(Self.path) HTTP/1.1\r\n\(Self.fields(ready, session))Accept: text/event-stream\r\n\r\n"))
        try #require(try await stream.head().status == 200)
        try #require(try await stream.event()?.comment == "open")
        return stream
    }

    func post(_ body: String) async throws -> RawHTTPResponse {
        try await send(body)
        return try await connection.response()
    }

    func send(_ body: String) async throws { try await connection.send(bytes(body)) }

    /// The bytes of a POST, for several in one go.
    func bytes(_ body: String) -> ByteBuffer { Self.post(body, ready, session: session) }

    func request(_ method: String, _ params: String = "{}") async throws -> JSONValue? {
        let answer = try await post(#"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#)
        return try answer.answer.map { try JSONValue.parse(Array($0.utf8)) }
    }

    func names(_ method: String, _ list: String, _ member: String = "name") async throws -> [String] {
        try await request(method)?["result"]?[list]?.elements?.compactMap { $0[member]?.string } ?? []
    }

    /// Ends the session.
    func end() async throws -> Int {
        try await connection.send(
            ByteBuffer(string: "DELETE \(Self.path) HTTP/1.1\r\n\(Self.fields(ready, session))\r\n"))
        return try await connection.response().status
    }

    private static func fields(_ ready: ReadyFacts, _ session: String?) -> String {
        let own = session.map { "Mcp-Session-Id: \($0)\r\n" } ?? ""
        return "Host: 127.0.0.1:\(ready.port)\r\nAuthorization: Bearer \(ready.token)\r\n\(own)"
    }

    private static func post(_ body: String, _ ready: ReadyFacts, session: String?) -> ByteBuffer {
        ByteBuffer(
            string: "POST \(path) HTTP/1.1\r\n\(fields(ready, session))Content-Type: application/json\r\n"
                + "Accept: application/json, text/event-stream\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
    }
}
