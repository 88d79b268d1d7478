// SPDX-License-Identifier: Apache-2.0
import Foundation
import JSONRPC

/// An MCP client of one server for tests of sessions: Streamable HTTP, one connection for each message.
struct ToolClient: Sendable {
    private let port: Int
    private let path: String
    private let token: String
    private let session: String

    /// Opens a session.
    init(port: Int, path: String, token: String) async throws {
        let hello: JSONValue = [
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": [
                "protocolVersion": "2025-11-25", "capabilities": [:], "clientInfo": ["name": "test", "version": "1"],
            ],
        ]
        let response = try await HTTPExchange.post(hello.serialized, port: port, path: path, token: token)
        guard response.status == 200, let session = response.fields["mcp-session-id"] else {
            throw LodgeProcessError("initialize: \(response.status) \(String(decoding: response.body, as: UTF8.self))")
        }
        (self.port, self.path, self.token, self.session) = (port, path, token, session)
    }

    /// Sends a request and answers the message that answers it.
    func request(_ method: String, _ params: JSONValue = [:]) async throws -> JSONValue {
        guard let answer = try await messages(of: method, params).last else {
            throw LodgeProcessError("\(method): no message in the answer")
        }
        return answer
    }

    /// Sends a request and answers every message that came back, the answer last.
    func messages(of method: String, _ params: JSONValue = [:]) async throws -> [JSONValue] {
        try await exchange(method, String(decoding: params.serialized, as: UTF8.self)).messages
    }

    /// Sends a request with parameters as they are written here and answers the body as it came.
    func text(_ method: String, _ params: String) async throws -> String {
        String(decoding: try await exchange(method, params).body, as: UTF8.self)
    }

    private func exchange(_ method: String, _ params: String) async throws -> HTTPExchange {
        let message = #"{"jsonrpc":"2.0","id":1,"method":"\#(method)","params":\#(params)}"#
        let response = try await HTTPExchange.post(
            Array(message.utf8), port: port, path: path, token: token, session: session)
        guard response.status == 200 else {
            throw LodgeProcessError("\(method): \(response.status) \(String(decoding: response.body, as: UTF8.self))")
        }
        return response
    }

    func toolNames() async throws -> [String] {
        let tools = try await request("tools/list")["result"]?["tools"]?.elements
        return tools?.compactMap { $0["name"]?.string } ?? []
    }

    func call(_ tool: String, _ arguments: JSONValue = [:]) async throws -> JSONValue {
        try await request("tools/call", ["name": .string(tool), "arguments": arguments])
    }

    /// The text of a tool's result.
    func text(of tool: String, _ arguments: JSONValue = [:]) async throws -> String? {
        try await call(tool, arguments)["result"]?["content"]?.elements?.first?["text"]?.string
    }
}

/// One HTTP request over a connection of its own, to the end of the connection.
struct HTTPExchange: Sendable {
    let status: Int
    /// Names in lower case.
    let fields: [String: String]
    let body: [UInt8]

    /// - Parameters:
    ///   - address: an IPv4 address in dotted form.
    ///   - fields: further header fields; a `Host` among them takes the place of the right one.
    static func post(
        _ body: [UInt8], address: String = "127.0.0.1", port: Int, path: String, token: String?, session: String? = nil,
        fields: [String] = []
    ) async throws -> HTTPExchange {
        var head = [
            "POST \(path) HTTP/1.1", "Connection: close", "Content-Type: application/json",
            "Accept: application/json, text/event-stream", "Content-Length: \(body.count)",
        ]
        if !fields.contains(where: { $0.hasPrefix("Host:") }) { head.append("Host: 127.0.0.1:\(port)") }
        head += fields
        if let token { head.append("Authorization: Bearer \(token)") }
        if let session { head += ["Mcp-Session-Id: \(session)", "MCP-Protocol-Version: 2025-11-25"] }
        let bytes = Array((head.joined(separator: "\r\n") + "\r\n\r\n").utf8) + body
        return try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try send(bytes, address: address, port: port) })
            }
        }
    }

    private static func send(_ bytes: [UInt8], address: String, port: Int) throws -> HTTPExchange {
        guard let connection = connect(to: address, port: port) else {
            throw LodgeProcessError("no connection to \(address):\(port)")
        }
        try connection.write(contentsOf: Data(bytes))
        return try HTTPExchange(Array(connection.readToEnd() ?? Data()))
    }

    /// Nil where nobody listens.
    static func connect(to address: String, port: Int) -> FileHandle? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(port).bigEndian
        // Sound: the text lives until the call returns.
        name.sin_addr = in_addr(s_addr: unsafe inet_addr(address))
        // Sound: connect(2) reads `sin_family` and what belongs to it, which is all of the structure.
        let problem = unsafe withUnsafePointer(to: &name) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Foundation.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return problem == 0 ? handle : nil
    }

    private init(_ bytes: [UInt8]) throws {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else {
            throw LodgeProcessError("no answer: \(String(decoding: bytes, as: UTF8.self))")
        }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        status = Int(lines[0].split(separator: " ").dropFirst().first ?? "") ?? 0
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            fields[line[..<colon].lowercased()] = value
        }
        self.fields = fields
        let rest = Array(bytes[end.upperBound...])
        body = fields["transfer-encoding"]?.lowercased() == "chunked" ? Self.unchunked(rest) : rest
    }

    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var (body, rest) = ([UInt8](), bytes[...])
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            let line = String(decoding: rest[..<end], as: UTF8.self).trimmingCharacters(in: .whitespaces)
            guard let size = Int(line.trimmingCharacters(in: .newlines), radix: 16), size > 0 else { break }
            body += rest[(end + 1)...].prefix(size)
            rest = rest[(end + 1)...].dropFirst(size + 2)
        }
        return body
    }

    /// The messages of the body, be it JSON or a stream of events.
    var messages: [JSONValue] {
        guard fields["content-type"]?.hasPrefix("text/event-stream") == true else {
            return (try? JSONValue.parse(body)).map { [$0] } ?? []
        }
        return String(decoding: body, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("data:") }
            .compactMap { try? JSONValue.parse(Array($0.dropFirst(5).utf8)) }
    }
}
