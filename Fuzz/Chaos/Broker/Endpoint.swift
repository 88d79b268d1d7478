// SPDX-License-Identifier: Apache-2.0

/// Where the broker under test listens, and the requests that reach it there.
struct Endpoint {
    private(set) var port: UInt16 = 0
    private(set) var path = ""
    private(set) var token = ""

    init() {}

    /// Reads `http://127.0.0.1:PORT/PATH`; nil where the text is not of that form.
    init?(url: String, token: String) {
        guard let rest = url.wholeMatch(of: #/http://127\.0\.0\.1:(\d+)(/\S*)/#), let port = UInt16(rest.1) else {
            return nil
        }
        self.port = port
        path = String(rest.2)
        self.token = token
    }

    private var fields: String { "Host: 127.0.0.1:\(port)\r\nAuthorization: Bearer \(token)\r\n" }

    func get(_ path: String) -> [UInt8] { Array("GET \(path) HTTP/1.1\r\n\(fields)\r\n".utf8) }

    /// The request that opens a session's own stream.
    func stream(session: String) -> [UInt8] {
        Array("GET \(path) HTTP/1.1\r\n\(fields)Accept: text/event-stream\r\nMcp-Session-Id: \(session)\r\n\r\n".utf8)
    }

    func delete(session: String) -> [UInt8] {
        Array("DELETE \(path) HTTP/1.1\r\n\(fields)Mcp-Session-Id: \(session)\r\n\r\n".utf8)
    }

    /// The head of a POST up to the value of its last field, the body's length.
    func postHead(session: String?) -> [UInt8] {
        let session = session.map { "MCP-Protocol-Version: 2025-11-25\r\nMcp-Session-Id: \($0)\r\n" } ?? ""
        return Array(
            ("POST \(path) HTTP/1.1\r\n\(fields)Content-Type: application/json\r\n"
                + "Accept: application/json, text/event-stream\r\n\(session)Content-Length: ").utf8)
    }

    func post(_ body: String, session: String? = nil) -> [UInt8] {
        postHead(session: session) + Array("\(body.utf8.count)\r\n\r\n\(body)".utf8)
    }

    static let initialize = """
        {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
        "clientInfo":{"name":"lodge-chaos","version":"1.0.0"}}}
        """
    static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
}
