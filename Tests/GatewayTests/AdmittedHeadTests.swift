// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import LodgeTestSupport
import NIOHTTP1
import Synchronization
import Testing

@testable import Gateway

@Suite("A head that was admitted before")
struct AdmittedHeadTests {
    private static let headers = HTTPHeaders([
        ("Host", "localhost"), ("Authorization", "Bearer right"), ("Content-Length", "10"), ("Mcp-Session-Id", "s-1"),
    ])

    private func head(_ headers: HTTPHeaders = Self.headers, uri: String = "/mcp") -> HTTPRequestHead {
        HTTPRequestHead(version: .http1_1, method: .POST, uri: uri, headers: headers)
    }

    private func admitted(expiry: ContinuousClock.Instant? = nil) throws -> AdmittedHead {
        var request = RequestInHand()
        request.grants = 7
        request.grantExpiry = expiry
        return try #require(AdmittedHead(head(), request))
    }

    @Test("is known again whatever the length of its body")
    func same() throws {
        var headers = Self.headers
        headers.replaceOrAdd(name: "Content-Length", value: "999")
        let reordered = HTTPHeaders(headers.map { ($0.name, $0.value) }.sorted { $0.0 < $1.0 })
        #expect(try admitted().length(of: head(), grants: 7) == 10)
        #expect(try admitted().length(of: head(reordered), grants: 7) == nil)
    }

    @Test(
        "is read again when any value differs",
        arguments: [
            ("Host", "evil.example"), ("Authorization", "Bearer wrong"), ("Authorization", "Bearer rights"),
            ("Mcp-Session-Id", "s-2"), ("Origin", "http://evil.example"),
        ])
    func different(name: String, value: String) throws {
        let changed = HTTPHeaders(Self.headers.map { ($0.name, $0.name == name ? value : $0.value) })
        let more =
            Self.headers.contains(name: name)
            ? changed : HTTPHeaders(changed.map { ($0.name, $0.value) } + [(name, value)])
        #expect(try admitted().length(of: head(more), grants: 7) == nil)
    }

    @Test("is read again on another path or by another method")
    func otherTarget() throws {
        var get = head()
        get.method = .GET
        #expect(try admitted().length(of: head(uri: "/servers/mail/mcp"), grants: 7) == nil)
        #expect(try admitted().length(of: get, grants: 7) == nil)
    }

    @Test("is read again once the grants have changed, or its own has expired")
    func grants() throws {
        #expect(try admitted().length(of: head(), grants: 8) == nil)
        #expect(try admitted(expiry: .now).length(of: head(), grants: 7) == nil)
        #expect(try admitted(expiry: .now + .seconds(60)).length(of: head(), grants: 7) == 10)
    }

    @Test("is not kept without a length, or with two")
    func length() {
        let none = HTTPHeaders([("Host", "localhost")])
        let two = HTTPHeaders([("Content-Length", "1"), ("content-length", "1")])
        #expect(AdmittedHead(head(none), RequestInHand()) == nil)
        #expect(AdmittedHead(head(two), RequestInHand()) == nil)
    }
}

@Suite("Tokens on a connection that is kept", .timeLimit(.minutes(1)))
struct KeptConnectionTests {
    /// Grants that change at the worst moment: just after a token was looked up.
    private final class RevokedMeanwhile: Authenticating {
        private let changes = Atomic<UInt64>(0)
        private let isRevoked = Atomic<Bool>(false)
        var openGrant: Grant? { nil }
        var generation: UInt64 { changes.load(ordering: .relaxed) }

        func grant(for token: Substring) -> Grant? {
            guard !isRevoked.exchange(true, ordering: .relaxed) else { return nil }
            changes.add(1, ordering: .relaxed)
            return Grant(principal: Principal(name: "ada"))
        }
    }

    private let right = [("Authorization", "Bearer right")]

    private func check(_ authentication: any Authenticating, revoke: @escaping @Sendable () -> Void) async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay], authentication: authentication) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), right))
                await relay.nextCall().answer()
                #expect(try await client.response().status == 200)
                revoke()
                try await client.send(post(call(2), right))
                #expect(try await client.response().status == 401)
                #expect(relay.messages == [call(1)])
            }
        }
    }

    @Test("a revoked token is refused with the next request")
    func revoked() async throws {
        let authentication = GrantAuthentication(GrantTable(["right": Grant(principal: Principal(name: "ada"))])) {
            String($0)
        }
        try await check(authentication) { authentication.change { $0.revoke(digest: "right") } }
    }

    @Test("a token that is revoked while it is looked up is not remembered")
    func revokedMeanwhile() async throws {
        try await check(RevokedMeanwhile()) {}
    }

    @Test("another token, or none, is judged anew")
    func otherToken() async throws {
        let relay = FakeRelay()
        let grant = Grant(principal: Principal(name: "ada"))
        try await GatewayFixture.run([relay], tokens: ["right": grant]) { gateway in
            try await gateway.connected { client in
                try await client.send(post(call(1), right))
                await relay.nextCall().answer()
                #expect(try await client.response().status == 200)
                try await client.send(post(call(2), [("Authorization", "Bearer wrong")]) + post(call(3)))
                #expect(try await client.response().status == 401)
                #expect(try await client.response().status == 401)
                #expect(relay.messages == [call(1)])
            }
        }
    }

    @Test("the session of each request comes with it, though all else of its head is the same")
    func sessions() async throws {
        let relay = FakeRelay()
        try await GatewayFixture.run([relay]) { gateway in
            try await gateway.connected { client in
                for session in ["s-1", "s-1", "s-2", "s-1"] {
                    try await client.send(post(call(1), [("Mcp-Session-Id", session)]))
                    let call = await relay.nextCall()
                    #expect(call.message.session == session)
                    call.answer()
                    #expect(try await client.response()["Mcp-Session-Id"] == session)
                }
            }
        }
    }
}
