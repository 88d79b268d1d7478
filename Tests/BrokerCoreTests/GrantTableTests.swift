// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("Grants")
struct GrantTableTests {
    private let now = ContinuousClock.now

    @Test("a token's grant is found by its digest alone")
    func found() throws {
        var table = GrantTable<String>(["one": Grant(principal: .alice)])
        table.add(Grant(principal: .bob), digest: "two")
        #expect(try table.grant(for: "one", now: now).principal == .alice)
        #expect(try table.grant(for: "two", now: now).principal == .bob)
        #expect(throws: GrantTable<String>.Refusal.unknown) { try table.grant(for: "three", now: now) }
    }

    @Test("a revoked grant opens nothing")
    func revoked() {
        var table = GrantTable<String>(["one": Grant(principal: .alice)])
        table.revoke(digest: "one")
        #expect(throws: GrantTable<String>.Refusal.unknown) { try table.grant(for: "one", now: now) }
    }

    @Test("a grant ends with its expiry")
    func expired() throws {
        let table = GrantTable<String>(["one": Grant(principal: .alice, expiry: now.advanced(by: .seconds(10)))])
        #expect(try table.grant(for: "one", now: now.advanced(by: .milliseconds(9999))).principal == .alice)
        #expect(throws: GrantTable<String>.Refusal.expired) {
            try table.grant(for: "one", now: now.advanced(by: .seconds(10)))
        }
    }

    @Test("a grant reaches all servers or those it names")
    func servers() {
        #expect(Grant(principal: .alice).reaches(server: "files"))
        let some = Grant(principal: .alice, servers: .only(["files"]))
        #expect(some.reaches(server: "files"))
        #expect(!some.reaches(server: "file"))
        #expect(!Grant(principal: .alice, servers: .only([])).reaches(server: "files"))
    }

    @Test("the open grant belongs to nobody in particular")
    func open() {
        #expect(!Grant.open.principal.isIdentified)
        #expect(Principal.alice.isIdentified)
    }
}
