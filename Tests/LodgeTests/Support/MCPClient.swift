// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC
import LodgeTestSupport
import NIOCore
import Synchronization
import Testing

/// A client of a running `lodge`: one connection, kept alive, and at most one session.
///
/// It says what a well-behaved client says, unless a test changes a header. Whole answers are compared as text, so that
/// a test sees every byte.
struct MCPClient: Sendable {
    let lodge: LodgeProcess
    let connection: RawHTTPClient
    /// The session that its requests name.
    var session: String?
    /// The protocol version that its requests name.
    var version: String?

    /// Sends a POST and reads its whole answer. A header that is nil is left out.
    func post(_ body: String, _ headers: [String: String?] = [:]) async throws -> RawHTTPResponse {
        try await send(body, headers)
        return try await connection.response()
    }

    /// Sends a POST and reads nothing.
    func send(_ body: String, _ headers: [String: String?] = [:]) async throws {
        try await connection.send(request("POST", body: Array(body.utf8), headers))
    }

    /// Sends a request of another method and reads its whole answer.
    func ask(
        _ method: String, _ path: String? = nil, _ headers: [String: String?] = [:]
    ) async throws -> RawHTTPResponse {
        try await connection.send(request(method, path, headers))
        return try await connection.response()
    }

    /// The bytes of a request, as this client writes it.
    func request(
        _ method: String, _ path: String? = nil, body: [UInt8]? = nil, _ changes: [String: String?] = [:]
    ) -> ByteBuffer {
        var headers: [String: String?] = ["Host": "\(lodge.host):\(lodge.port)"]
        if let token = lodge.token { headers["Authorization"] = "Bearer \(token)" }
        if let session { headers["Mcp-Session-Id"] = session }
        if let version { headers["MCP-Protocol-Version"] = version }
        if let body {
            headers["Content-Type"] = "application/json"
            headers["Accept"] = "application/json, text/event-stream"
            headers["Content-Length"] = "\(body.count)"
        } else if method == "GET" {
            headers["Accept"] = "text/event-stream"
        }
        headers.merge(changes) { _, new in new }
        var buffer = ByteBuffer(string: "\(method) \(path ?? lodge.path) HTTP/1.1\r\n")
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
            if let value { buffer.writeString("\(name): \(value)\r\n") }
        }
        buffer.writeString("\r\n")
        if let body { buffer.writeBytes(body) }
        return buffer
    }

    // MARK: Messages

    static func call(_ tool: String, _ arguments: String = "{}", id: String = "1", token: String? = nil) -> String {
        let meta = token.map { #","_meta":{"progressToken":\#($0)}"# } ?? ""
        return
            #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)","arguments":\#(arguments)\#(meta)}}"#
    }

    static func echo(_ message: String, id: String = "1") -> String {
        call("echo", #"{"message":"\#(message)"}"#, id: id)
    }

    /// What a server answers to a call with one text.
    static func text(_ text: String, id: String = "1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"content":[{"type":"text","text":"\#(text)"}]}}"#
    }

    static func initialize(
        id: String = "0", version: String = "2025-11-25", capabilities: String = "{}"
    ) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"initialize","params":{"protocolVersion":"\#(version)","capabilities":"#
            + #"\#(capabilities),"clientInfo":{"name":"test","version":"1"}}}"#
    }

    static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    /// Calls a tool and reads the whole answer.
    func call(
        _ tool: String, _ arguments: String = "{}", id: String = "1", token: String? = nil
    ) async throws -> RawHTTPResponse {
        try await post(Self.call(tool, arguments, id: id, token: token))
    }

    /// Calls `echo` and answers whether it came back; for the many places where that is all there is to know.
    func echoes(_ message: String = "still here", id: String = "77") async throws -> Bool {
        try await post(Self.echo(message, id: id)).text == Self.text(message, id: id)
    }

    /// Opens the session's own stream on this connection, which is then good for nothing else.
    func openStream() async throws {
        try await connection.send(request("GET"))
        let head = try await connection.head()
        try #require(head.status == 200)
        try #require(try await connection.event()?.comment == "open")
    }
}

extension LodgeProcess {
    /// A connection without a session.
    func stranger(limit: TimeAmount = .seconds(20)) async throws -> MCPClient {
        let connection = try await RawHTTPClient.connect(to: .tcp(host: host, port: port), limit: limit)
        connections.add(connection)
        return MCPClient(lodge: self, connection: connection)
    }

    /// A connection with a session of its own.
    func client(version: String = "2025-11-25", capabilities: String = "{}") async throws -> MCPClient {
        var client = try await stranger()
        let answer = try await client.post(MCPClient.initialize(version: version, capabilities: capabilities))
        guard let session = answer["Mcp-Session-Id"] else { throw LodgeProcessError("no session: \(answer.text)") }
        client.session = session
        client.version = try #require(answer.json?["result"]?["protocolVersion"]?.string)
        let told = try await client.post(MCPClient.initialized)
        try #require(told.status == 202)
        return client
    }

    /// What `/status` says of the only server.
    func status() async throws -> JSONValue {
        let client = try await stranger()
        let answer = try await client.ask("GET", "/status")
        await client.connection.close()
        return try #require(answer.json?["servers"]?.elements?.first)
    }

    /// What EverythingServer has counted: how often it was sent something.
    func seen(_ counter: String) async throws -> JSONValue? {
        try await client().call("subscriptions").json?["result"]?["structuredContent"]?[counter]
    }

    /// Waits until `/status` says so.
    func reaches(_ condition: (JSONValue) -> Bool) async throws -> Bool {
        try await eventually { condition(try await status()) }
    }
}

extension RawHTTPResponse {
    var json: JSONValue? { try? JSONValue.parse(body) }

    /// The answer, be it the whole body or the last event of a stream; a slow answer becomes a stream.
    var answer: String? { self["Content-Type"] == "text/event-stream" ? messages.last : text }

    /// The messages of an event stream.
    var messages: [String] {
        text.split(separator: "\n\n").compactMap { event in
            event.split(separator: "\n").first { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
        }
    }
}

/// The connections of a test, closed together.
final class OpenConnections: Sendable {
    private let all = Mutex<[RawHTTPClient]>([])

    func add(_ connection: RawHTTPClient) { all.withLock { $0.append(connection) } }

    func closeAll() async {
        let connections = all.withLock { all in
            defer { all = [] }
            return all
        }
        for connection in connections { await connection.close() }
    }
}
