// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import NIOCore
import Testing

/// A client of 2026-07-28 at the endpoint of all servers: one connection, kept alive, and no session.
struct ModernAllServersClient: Sendable {
    static let version = "2026-07-28"
    /// Whether requests bring the headers of their revision.
    static let sendsHeaders = true

    let connection: RawHTTPClient
    private let ready: ReadyFacts
    private let capabilities: String

    init(_ ready: ReadyFacts, capabilities: String = "{}") async throws {
        connection = try await RawHTTPClient.connect(
            to: .tcp(host: "127.0.0.1", port: ready.port), limit: .seconds(20))
        (self.ready, self.capabilities) = (ready, capabilities)
    }

    /// Sends a request without waiting for its answer.
    ///
    /// - Parameters:
    ///   - params: members that follow the metadata.
    ///   - name: what the request names, where it names anything.
    func send(_ method: String, _ params: String = "", name: String? = nil, id: String = "1") async throws {
        let meta =
            #"{"io.modelcontextprotocol/protocolVersion":"\#(Self.version)","#
            + #""io.modelcontextprotocol/clientCapabilities":\#(capabilities)}"#
        let members = [#""_meta":\#(meta)"#, name.map { Self.naming(method, $0) } ?? "", params].filter { !$0.isEmpty }
        let body =
            #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(members.joined(separator: ","))}}"#
        var fields = ""
        if Self.sendsHeaders {
            fields = "MCP-Protocol-Version: \(Self.version)\r\nMcp-Method: \(method)\r\n"
            if let name { fields += "Mcp-Name: \(name)\r\n" }
        }
        try await connection.send(
            ByteBuffer(
                string: "POST \(AllServersClient.path) HTTP/1.1\r\nHost: 127.0.0.1:\(ready.port)\r\n"
                    + "Authorization: Bearer \(ready.token)\r\nContent-Type: application/json\r\n\(fields)"
                    + "Accept: application/json, text/event-stream\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
            ))
    }

    func post(
        _ method: String, _ params: String = "", name: String? = nil, id: String = "1"
    ) async throws -> RawHTTPResponse {
        try await send(method, params, name: name, id: id)
        return try await connection.response()
    }

    /// The result of a request; nil where it failed.
    func result(
        _ method: String, _ params: String = "", name: String? = nil, id: String = "1"
    ) async throws -> JSONValue? {
        let response = try await post(method, params, name: name, id: id)
        return try response.answer.flatMap { try JSONValue.parse(Array($0.utf8))["result"] }
    }

    private static func naming(_ method: String, _ name: String) -> String {
        method == "resources/read" ? #""uri":"\#(name)""# : #""name":"\#(name)""#
    }
}
