// SPDX-License-Identifier: Apache-2.0
import FixtureKit
import Testing

struct ModernRequestTests {
    @Test("discovery names revisions, capabilities, the server and how long to keep it")
    func discovery() throws {
        let server = try ServerProcess("--ttl", "5000", "--cache-scope", "public")
        let result = try #require(try server.ask(Modern.request("d", "server/discover"))["result"])
        #expect(result["resultType"] == "complete")
        #expect(result["supportedVersions"] == ["2026-07-28"])
        #expect(result["capabilities"]?["tools"] == ["listChanged": true])
        #expect(result["capabilities"]?["resources"] == ["subscribe": true, "listChanged": true])
        #expect(result["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"] == "everything")
        #expect(result["ttlMs"] == 5_000)
        #expect(result["cacheScope"] == "public")
    }

    /// An envelope with one field changed or, for nil, taken away; and the refusal.
    private static let broken: [(field: String, value: JSONValue?, code: Int, message: String)] = [
        (
            "protocolVersion", nil, -32_602, "'_meta' needs 'io.modelcontextprotocol/protocolVersion' as a string"
        ),
        (
            "clientCapabilities", nil, -32_602,
            "'_meta' needs 'io.modelcontextprotocol/clientCapabilities' as an object"
        ),
        (
            "clientCapabilities", "all", -32_602,
            "'_meta' needs 'io.modelcontextprotocol/clientCapabilities' as an object"
        ),
        (
            "logLevel", "loud", -32_602,
            "'io.modelcontextprotocol/logLevel' must be one of debug, info, notice, warning, error, critical, alert, "
                + "emergency"
        ),
        ("protocolVersion", "2099-01-01", -32_022, "protocol version '2099-01-01' is not supported"),
    ]

    @Test("an envelope that is not whole is refused", arguments: broken.indices)
    func envelope(index: Int) throws {
        let one = Self.broken[index]
        let server = try ServerProcess("--era", "modern")
        var meta = Modern.meta()
        meta["io.modelcontextprotocol/\(one.field)"] = one.value
        let refusal = try server.ask(Modern.request(1, "tools/list", meta: meta))
        #expect(refusal.code == one.code)
        #expect(refusal.errorMessage == one.message)
    }

    @Test("a request without '_meta' is refused, one without 'clientInfo' is not")
    func fields() throws {
        let server = try ServerProcess("--era", "modern")
        let refusal = try server.ask(Message.request(1, "server/discover"))
        #expect(refusal.errorMessage == "'_meta' is missing; every request must carry it")
        var meta = Modern.meta()
        meta["io.modelcontextprotocol/clientInfo"] = nil
        #expect(try server.ask(Modern.request(2, "server/discover", meta: meta))["result"] != nil)
    }

    @Test(
        "methods of the handshake revisions are gone",
        arguments: [
            "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "tasks/list",
        ])
    func removed(method: String) throws {
        let server = try ServerProcess()
        let refusal = try server.ask(Modern.request("x", method))
        #expect(refusal["id"] == "x")
        #expect(refusal.code == -32_601)
        #expect(refusal.errorMessage == "unknown method '\(method)'")
    }

    @Test("every page of a list says the same of how to keep it")
    func pages() throws {
        let server = try ServerProcess("--ttl", "7", environment: ["EVERYTHING_PAGE_SIZE": "20"])
        let first = try #require(try server.ask(Modern.request(1, "tools/list"))["result"])
        let cursor = try #require(first["nextCursor"])
        let second = try #require(try server.ask(Modern.request(2, "tools/list", ["cursor": cursor]))["result"])
        for page in [first, second] {
            #expect(page["ttlMs"] == 7)
            #expect(page["cacheScope"] == "private")
            #expect(page["tools"]?.elements?.isEmpty == false)
        }
    }

    @Test(
        "cacheable results carry hints, all results their type and the server's name",
        arguments: ["tools/list", "prompts/list", "resources/list", "resources/templates/list", "resources/read"])
    func hints(method: String) throws {
        let server = try ServerProcess()
        let params: JSONValue = method == "resources/read" ? ["uri": "test://static-text"] : [:]
        let result = try #require(try server.ask(Modern.request(1, method, params))["result"])
        #expect(result["ttlMs"] == 0)
        #expect(result["cacheScope"] == "private")
        #expect(result["resultType"] == "complete")
        #expect(result["_meta"]?["io.modelcontextprotocol/serverInfo"]?["name"] == "everything")
    }

    @Test("a resource that there is not is refused with the code of the era")
    func absence() throws {
        let params: JSONValue = ["uri": "test://nothing"]
        let modern = try ServerProcess().ask(Modern.request(1, "resources/read", params))
        let legacy = try ServerProcess()
        try legacy.initialize()
        let old = try legacy.ask(Message.request(1, "resources/read", params))
        #expect([modern.code, old.code] == [-32_602, -32_002])
        for answer in [modern, old] { #expect(answer["error"]?["data"] == params) }
    }

    @Test("log messages come from the level on that the request names, and else not at all")
    func logging() throws {
        let server = try ServerProcess()
        let quiet = try server.ask(Modern.call(1, "test_logging_tool"))
        #expect(quiet.firstText == "logged at every level")
        try server.send(Modern.call(2, "test_logging_tool", meta: Modern.meta(logLevel: "alert")))
        #expect(try server.next()["params"]?["level"] == "alert")
        #expect(try server.next()["params"]?["level"] == "emergency")
        #expect(try server.next()["id"] == 2)
    }

    @Test("progress is reported by the token of the request")
    func progress() throws {
        let server = try ServerProcess()
        var meta = Modern.meta()
        meta["progressToken"] = "p"
        try server.send(Modern.call(1, "test_tool_with_progress", meta: meta))
        for expected in [0, 50, 100] {
            let notice = try server.next()
            #expect(notice["method"] == "notifications/progress")
            #expect(notice["params"]?["progressToken"] == "p")
            #expect(notice["params"]?["progress"] == .integer(expected))
        }
        #expect(try server.next()["id"] == 1)
    }

    @Test("a call that is cancelled is not answered, and what came in is counted")
    func cancellation() throws {
        let server = try ServerProcess()
        try server.send(Modern.call("held", "hold", ["name": "a"]))
        try server.send(Modern.cancel("held"))
        #expect(try server.ask(Modern.call(2, "release", ["name": "a"])).firstText == "released a")
        let answer = try server.ask(Modern.call(3, "subscriptions"))
        let seen = try #require(answer["result"]?["structuredContent"])
        #expect(seen["counts"] == ["notifications/cancelled": 1, "tools/call": 3])
        #expect(seen["protocolVersion"] == "2026-07-28")
        #expect(seen["clientCapabilities"] == Modern.everything)
        #expect(try server.finish().isEmpty)
    }

    @Test("the last words are a whole result")
    func lastWords() throws {
        let server = try ServerProcess()
        try server.send(Modern.call(1, "last_words"))
        let rest = try server.finish()
        #expect(rest.map(\.firstText) == ["last words"])
        #expect(rest.first?["result"]?["resultType"] == "complete")
    }
}
