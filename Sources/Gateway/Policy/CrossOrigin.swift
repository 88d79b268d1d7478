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
    ///
    /// - Parameter asked: the headers that the page wants to send (`Access-Control-Request-Headers`). Those of arguments
    ///   have names that a tool chooses, so they are allowed as they are asked for.
    static func preflight(asked: String?) -> [(String, String)] {
        var names = allowed
        for element in (asked ?? "")[...].utf8.split(separator: UInt8(ascii: ",")) {
            let name = ASCIIText.trimmed(element)
            if isParameter(name) { names += ", \(Substring(name))" }
        }
        return [
            ("Access-Control-Allow-Methods", "POST, GET, DELETE"),
            ("Access-Control-Allow-Headers", names),
            ("Access-Control-Max-Age", "600"),
        ]
    }

    private static let allowed =
        "Authorization, Content-Type, Accept, Mcp-Session-Id, MCP-Protocol-Version, Last-Event-ID, Mcp-Method, Mcp-Name"

    /// Whether a name is `Mcp-Param-` and a token behind it (RFC 9110 section 5.6.2).
    private static func isParameter(_ name: Substring.UTF8View) -> Bool {
        let prefix = 10
        return name.count > prefix && ASCIIText.equals(name.prefix(prefix), lowercase: "mcp-param-")
            && name.dropFirst(prefix).allSatisfy(ASCIIText.isToken)
    }
}
