// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOHTTP1
import Testing

@testable import Gateway

@Suite("Host, Origin and token")
struct RequestPolicyTests {
    private func policy(hosts: [String] = [], origins: [String] = []) -> RequestPolicy {
        let grant = Grant(principal: Principal(name: "ada"))
        return RequestPolicy(
            hosts: HostRule(allowing: hosts), origins: OriginRule(allowing: origins),
            authentication: GrantAuthentication(GrantTable(["right": grant])) { String($0) })
    }

    private func refusal(_ headers: HTTPHeaders, hosts: [String] = [], origins: [String] = []) -> GatewayRefusal? {
        policy(hosts: hosts, origins: origins).refusal(of: RequestFields(headers))
    }

    @Test(
        "a loopback host is allowed on any port",
        arguments: ["localhost", "LocalHost:1", "127.0.0.1:8080", "[::1]", "[::1]:65535", "127.0.0.1"])
    func loopback(host: String) {
        #expect(refusal(["Host": host]) == nil)
    }

    @Test(
        "any other host is refused",
        arguments: [
            "", "example.com", "localhost.example.com", "127.0.0.1.example.com", "evil-localhost", "localhost:",
            "localhost:80x", "localhost:123456", "[::1", "::1", "127.0.0.2", "localhost:80:80", "user@localhost",
        ])
    func foreign(host: String) {
        #expect(refusal(["Host": host]) == .hostNotAllowed)
    }

    @Test("a host that was allowed by name is allowed, on its port where one was named")
    func named() {
        let hosts = ["Broker.example", "other.example:8443"]
        #expect(refusal(["Host": "broker.EXAMPLE:99"], hosts: hosts) == nil)
        #expect(refusal(["Host": "other.example:8443"], hosts: hosts) == nil)
        #expect(refusal(["Host": "other.example"], hosts: hosts) == .hostNotAllowed)
        #expect(refusal(["Host": "other.example:8444"], hosts: hosts) == .hostNotAllowed)
        #expect(refusal(["Host": "localhost"], hosts: hosts) == nil)
    }

    @Test("a request without a Host, or with two, is refused before its host is judged")
    func missing() {
        #expect(refusal([:]) == .missingHost)
        #expect(refusal(["Host": "localhost", "host": "evil.example"]) == .repeatedHeader(.host))
    }

    @Test("the host of a target in absolute form counts instead of the header")
    func absoluteForm() {
        let fields = RequestFields(["Host": "localhost"])
        #expect(policy().refusal(of: fields, authority: "evil.example") == .hostNotAllowed)
        #expect(policy().refusal(of: fields, authority: "127.0.0.1:1") == nil)
    }

    @Test(
        "a page of this machine may send, and one that was allowed",
        arguments: [
            "http://localhost", "https://127.0.0.1:3000", "http://[::1]:1", "HTTP://LOCALHOST", "https://ok.example",
        ])
    func origins(origin: String) {
        #expect(refusal(["Host": "localhost", "Origin": origin], origins: ["https://ok.example"]) == nil)
    }

    @Test(
        "a page of anywhere else may not",
        arguments: [
            "null", "", "http://evil.example", "http://localhost.evil.example", "https://ok.example:444",
            "ftp://localhost", "http://localhost/", "http://localhost:80@evil.example", "localhost",
        ])
    func foreignOrigins(origin: String) {
        let headers: HTTPHeaders = ["Host": "localhost", "Origin": origin]
        #expect(refusal(headers, origins: ["https://ok.example"]) == .originNotAllowed)
    }

    @Test("only an origin that was allowed by name may read the answer")
    func sharing() {
        let policy = policy(origins: ["https://ok.example"])
        #expect(policy.sharedOrigin("https://ok.example") == "https://ok.example")
        #expect(policy.sharedOrigin("http://localhost") == nil)
        #expect(OriginRule(allowing: ["*"]).verdict(on: "https://any.example") == .allowedByName)
    }

    @Test("a bearer token opens its grant, in any case of the scheme", arguments: ["Bearer right", "bEARER  right "])
    func token(authorization: String) throws {
        #expect(try policy().grant(authorization: authorization).get().principal.name == "ada")
    }

    @Test("no token is told apart from a wrong one", arguments: [nil, "", "Bearer", "Bearer ", "Basic right", "right"])
    func missingToken(authorization: String?) {
        #expect(throws: GatewayRefusal.missingToken) { try policy().grant(authorization: authorization).get() }
        #expect(throws: GatewayRefusal.invalidToken) { try policy().grant(authorization: "Bearer wrong").get() }
    }

    @Test("a grant that expired or was revoked opens nothing with the next request")
    func revoked() {
        let start = ContinuousClock.now
        let expired = Grant(principal: Principal(name: "ada"), expiry: start)
        let authentication = GrantAuthentication(GrantTable(["old": expired]), now: { start }) { String($0) }
        #expect(authentication.grant(for: "old") == nil)
        authentication.change { $0.add(Grant(principal: Principal(name: "ada")), digest: "new") }
        #expect(authentication.grant(for: "new")?.principal.name == "ada")
        authentication.change { $0.revoke(digest: "new") }
        #expect(authentication.grant(for: "new") == nil)
    }

    @Test(
        "every header that decides something may come only once",
        arguments: [
            "Origin", "Authorization", "Content-Type", "Mcp-Session-Id", "Last-Event-ID",
        ])
    func repeated(name: String) throws {
        let single = try #require(RequestFields.Single(rawValue: name))
        let headers = HTTPHeaders([("Host", "localhost"), (name, "a"), (name.lowercased(), "a")])
        #expect(refusal(headers) == .repeatedHeader(single))
    }
}
