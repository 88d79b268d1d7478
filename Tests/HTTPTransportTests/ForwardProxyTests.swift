// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import Testing

@Suite("proxies are named by the environment") struct ForwardProxyTests {
    private func proxy(_ url: String, _ environment: [String: String]) throws -> ForwardProxy? {
        try ForwardProxy.named(for: WebAddress(url), in: environment)
    }

    /// D4
    @Test("the variable of the scheme counts, in lower case first") func variables() throws {
        let environment = ["http_proxy": "low:1", "HTTP_PROXY": "high:2", "HTTPS_PROXY": "http://u:p@tls:3"]
        #expect(try proxy("http://a/", environment)?.host == "low")
        let secure = try #require(try proxy("https://a/", environment))
        #expect((secure.host, secure.port, secure.user, secure.password) == ("tls", 3, "u", "p"))
        #expect(try proxy("http://a/", ["ALL_PROXY": "socks5://s"])?.kind == .socks)
        #expect(try proxy("http://a/", ["http_proxy": ""]) == nil)
        #expect(try proxy("https://a/", ["http_proxy": "low:1"]) == nil)
    }

    /// D4
    @Test(
        "no_proxy exempts hosts, domains, ports and everything",
        arguments: [
            ("a.example.com", true), ("example.com", true), (".example.com", true), ("*.example.com", true),
            ("xample.com", false), ("b.example.com", false), ("*", true), ("other, a.example.com", true),
            ("a.example.com:80", true), ("a.example.com:81", false), ("", false),
        ])
    func exceptions(list: String, isExempt: Bool) throws {
        let found = try proxy("http://a.example.com/mcp", ["http_proxy": "p:1", "NO_PROXY": list])
        #expect((found == nil) == isExempt)
    }

    @Test("an IPv6 address can be exempt") func sixth() throws {
        #expect(try proxy("http://[::1]:8080/", ["http_proxy": "p:1", "no_proxy": "::1"]) == nil)
    }

    @Test("what is no usable proxy is refused with the variable's name") func unusable() {
        #expect(
            throws: HTTPTransportError(
                .unusableSettings,
                "the proxy in https_proxy is of the kind 'https', which cannot be used; "
                    + "name one with http:// or socks5://")
        ) { try proxy("https://a/", ["https_proxy": "https://p:1"]) }
    }
}
