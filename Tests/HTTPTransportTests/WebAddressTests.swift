// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import Testing

@Suite("addresses") struct WebAddressTests {
    @Test("an address knows its origin, with the port that the scheme means") func origin() throws {
        #expect(try WebAddress("HTTPS://Example.com/mcp").origin == "https://example.com:443")
        #expect(try WebAddress("http://[::1]:8080").origin == "http://[::1]:8080")
        #expect(try WebAddress("http://a:80/x").hasSameOrigin(as: WebAddress("http://A/y")))
        #expect(try !WebAddress("http://a/").hasSameOrigin(as: WebAddress("https://a/")))
        #expect(try !WebAddress("http://a/").hasSameOrigin(as: WebAddress("http://a:8080/")))
    }

    @Test("what is shown of it has no query") func shown() throws {
        #expect("\(try WebAddress("http://a/mcp?key=1#f"))" == "http://a:80/mcp")
    }

    @Test(
        "references are resolved as RFC 3986 does it",
        arguments: [
            ("/messages/?session_id=1", "http://a:80/messages/"), ("messages", "http://a:80/x/messages"),
            ("http://b/y", "http://b:80/y"), ("//b/y", "http://b:80/y"), ("?q=1", "http://a:80/x/sse"),
        ])
    func references(reference: String, shown: String) throws {
        #expect(try WebAddress("http://a/x/sse").resolving(reference)?.description == shown)
    }

    @Test("the last part of a path") func lastPart() throws {
        #expect(try WebAddress("http://a/servers/x/sse").pathEnds(with: "sse"))
        #expect(try WebAddress("http://a/sse/").pathEnds(with: "sse"))
        #expect(try !WebAddress("http://a/sse/mcp").pathEnds(with: "sse"))
        #expect(try !WebAddress("http://a").pathEnds(with: "sse"))
    }

    @Test(
        "what cannot be used is refused with a sentence that mends it",
        arguments: [
            ("ftp://a/", "a URL of the scheme 'ftp' cannot be used; write http:// or https://"),
            ("localhost", "'localhost' is no URL; write it as https://HOST/PATH"),
            ("http:///mcp", "the URL names no host; write it as http://HOST/PATH"),
            (
                "http://u:p@a/",
                "the URL holds a user name or a password, which others can see; "
                    + "leave them out and use --token-env or --header-env"
            ),
        ])
    func refused(text: String, message: String) {
        do {
            _ = try WebAddress(text)
            Issue.record("\(text) was taken")
        } catch {
            #expect(error.message == message)
        }
    }

    @Test("a field that would break a request is none", arguments: [("A b", "x"), ("", "x"), ("A", "x\r\nB: y")])
    func fields(name: String, value: String) {
        #expect(!HTTPField(name, value).isValid)
        #expect(HTTPField("X-Key", "v w").isValid)
    }
}
