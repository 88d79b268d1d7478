// SPDX-License-Identifier: Apache-2.0

/// The header fields that let a web page of an allowed origin talk to the gateway (WHATWG Fetch, CORS protocol).
enum CrossOrigin {
    /// For a response that a page may read, with the headers of it that the page may see.
    static func fields(sharing origin: String, exposing headers: String) -> [(String, String)] {
        [
            ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", headers), ("Vary", "Origin"),
        ]
    }

    /// For the answer to a preflight request, besides ``fields(sharing:exposing:)``.
    static let preflight = [
        ("Access-Control-Allow-Methods", "POST, GET, DELETE"),
        (
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, "
                + "Mcp-Name"
        ),
        ("Access-Control-Max-Age", "600"),
    ]
}
