// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite("What is read of a request's head")
struct RequestReadingTests {
    @Test(
        "an Accept admits what its ranges name, with any weight but zero",
        arguments: [
            ("application/json, text/event-stream", MediaTypes.both),
            ("text/event-stream,application/json", .both),
            ("*/*", .both),
            ("APPLICATION/*;q=0.5 , text/*", .both),
            ("application/json", .json),
            ("text/event-stream", .eventStream),
            ("application/json;q=0, text/event-stream; q=0.1", .eventStream),
            ("application/json;q=0.000", MediaTypes()),
            ("application/jsonp, text/html", MediaTypes()),
            ("", MediaTypes()),
            (",,;", MediaTypes()),
        ])
    func accept(value: String, admitted: MediaTypes) {
        #expect(MediaTypes(accept: value) == admitted)
    }

    @Test("several Accept headers count together, and none is not the same as an empty one")
    func acceptHeaders() {
        #expect(RequestFields(HTTPHeaders([("Accept", "application/json"), ("accept", "text/*")])).accepted == .both)
        #expect(RequestFields([:]).accepted == nil)
        #expect(RequestFields(["Accept": ""]).accepted == MediaTypes())
    }

    @Test(
        "a content type is JSON whatever its parameters",
        arguments: [
            ("application/json", true), ("Application/JSON; charset=utf-8", true), ("application/json ;a", true),
            ("text/json", false), ("application/json-patch+json", false), ("", false),
        ])
    func contentType(value: String, isJSON: Bool) {
        #expect(MediaTypes.isJSON(contentType: value) == isJSON)
    }

    @Test("white space around a value does not belong to it")
    func whiteSpace() {
        let fields = RequestFields(
            HTTPHeaders([("Host", "\t h \t"), ("Mcp-Session-Id", " s\t"), ("Origin", "o "), ("Content-Length", " 12 ")])
        )
        #expect(fields.host == "h")
        #expect(fields.session == "s")
        #expect(fields.origin == "o")
        #expect(fields.contentLength == 12)
    }

    @Test("header names are found in any case")
    func names() {
        let fields = RequestFields(
            HTTPHeaders([
                ("HOST", "h"), ("MCP-SESSION-ID", "s"), ("mcp-protocol-version", "v"), ("content-length", "12"),
                ("EXPECT", "100-Continue"), ("content-encoding", "GZIP"), ("upgrade", "h2c"),
            ]))
        #expect(fields.host == "h")
        #expect(fields.session == "s")
        #expect(fields.protocolVersion == "v")
        #expect(fields.contentLength == 12)
        #expect(fields.expectsContinue && !fields.expectsUnknown)
        #expect(fields.isEncoded)
        #expect(fields.wantsUpgrade)
    }

    @Test(
        "a session id is 1 to 256 visible ASCII characters",
        arguments: [
            ("a", true), (String(repeating: "~", count: 256), true), ("", false),
            (String(repeating: "a", count: 257), false),
            ("a b", false), ("a\u{7F}", false), ("\u{E9}", false),
        ])
    func sessionID(text: String, isValid: Bool) {
        #expect(RequestFields.isSessionID(text) == isValid)
    }

    @Test(
        "a target is parted from its query, and from the host of its absolute form",
        arguments: [
            ("/mcp", "/mcp", "/mcp", nil),
            ("/mcp?a=/b?c", "/mcp", "/mcp?a=/b?c", nil),
            ("http://h:1/mcp?x", "/mcp", "/mcp?x", "h:1"),
            ("HTTP://h", "/", "/", "h"),
            ("http://h?x", "/", "/?x", "h"),
            ("*", "*", "*", nil),
            ("/a?u=http://x/", "/a", "/a?u=http://x/", nil),
        ] as [(String, String, String, String?)])
    func target(uri: String, path: String, originForm: String, authority: String?) {
        let target = RequestTarget(uri)
        #expect(target.path == path)
        #expect(target.originForm == originForm)
        #expect(target.authority == authority)
    }

    @Test(
        "a query parameter is found by its whole name, the first of several",
        arguments: [
            ("/m?session_id=a", "a"), ("/m?x=1&session_id=a=b&session_id=c", "a=b"), ("/m?session_id=", ""),
            ("/m?session_ids=a", nil), ("/m?session_id", nil), ("/m", nil), ("http://h/m?session_id=a", "a"),
        ] as [(String, String?)])
    func parameter(uri: String, value: String?) {
        #expect(RequestTarget(uri).parameter("session_id") == value)
    }
}

@Suite("What stands behind each path")
struct RouteTableTests {
    private func name(_ endpoint: RouteTable.Endpoint) -> String {
        switch endpoint {
        case .server(let relay): relay.name
        case .events(let relay, let messages): "events of \(relay.name), \(messages)"
        case .messages(let relay): "messages to \(relay.name)"
        case .noServer: "no server"
        case .health: "health"
        case .readiness: "readiness"
        case .status: "status"
        case .metrics: "metrics"
        case .authorizationDiscovery: "discovery"
        case .nothing: "nothing"
        }
    }

    @Test(
        "paths lead to their endpoints, with a trailing slash too",
        arguments: [
            ("/sse", "events of b, /messages/"), ("/sse/", "events of b, /messages/"),
            ("/messages", "messages to b"), ("/messages/", "messages to b"),
            ("/servers/a/sse", "events of a, /servers/a/messages/"), ("/servers/a/messages/", "messages to a"),
            ("/servers/c/sse", "no server"), ("/servers/c/messages", "no server"),
            ("/mcp", "b"), ("/mcp/", "b"), ("/servers/a/mcp", "a"), ("/servers/a/mcp/", "a"),
            ("/servers/c/mcp", "no server"),
            ("/servers/c/mcp/", "no server"), ("/servers/a/mcp//", "nothing"), ("/servers//mcp", "nothing"),
            ("/servers/a/b/mcp", "nothing"), ("/servers/a", "nothing"), ("/healthz", "health"),
            ("/readyz/", "readiness"),
            ("/status", "status"), ("/metrics/", "metrics"), ("/register", "discovery"),
            ("/.well-known/oauth-protected-resource/mcp", "discovery"),
            ("/.well-known/oauth-authorization-server", "discovery"), ("/", "nothing"), ("", "nothing"),
            ("/MCP", "nothing"),
        ])
    func endpoints(path: String, expected: String) {
        let table = RouteTable([FakeRelay("a"), FakeRelay("b")], defaultServer: "b")
        #expect(name(table.endpoint(at: path)) == expected)
    }

    @Test("/mcp is the only server, and nothing where there are several without a default")
    func defaultServer() {
        #expect(name(RouteTable([FakeRelay("a")]).endpoint(at: "/mcp")) == "a")
        #expect(name(RouteTable([FakeRelay("a"), FakeRelay("b")]).endpoint(at: "/mcp")) == "no server")
        #expect(name(RouteTable([]).endpoint(at: "/mcp")) == "no server")
    }

    @Test("a grant is told of its own paths only")
    func paths() {
        let table = RouteTable([FakeRelay("a"), FakeRelay("b")], defaultServer: "b")
        let some = Grant(principal: .anonymous, servers: .only(["a"]))
        #expect(table.paths(for: .open) == ["/mcp", "/servers/a/mcp", "/servers/b/mcp"])
        #expect(table.paths(for: some) == ["/servers/a/mcp"])
    }
}
