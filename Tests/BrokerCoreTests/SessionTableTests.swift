// SPDX-License-Identifier: Apache-2.0
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("The table of sessions")
struct SessionTableTests {
    private let start = ContinuousClock.now

    private func table(_ adjust: (inout SessionLimits) -> Void = { _ in }) -> SessionTable<Int> {
        var limits = SessionLimits()
        adjust(&limits)
        return SessionTable(limits: limits)
    }

    private func open(
        _ table: inout SessionTable<Int>, _ id: String, at seconds: Int = 0
    ) -> (key: SessionKey, evicted: SessionTable<Int>.Session?)? {
        let opening = table.open(
            id: id, principal: .alice, protocolVersion: .june2025, attachment: 5,
            now: start.advanced(by: .seconds(seconds)))
        guard case .opened(let key, let evicted) = opening else { return nil }
        return (key, evicted)
    }

    private func use(_ table: inout SessionTable<Int>, _ id: String, at seconds: Int) -> SessionKey? {
        table.use(id: id, principal: .alice, now: start.advanced(by: .seconds(seconds)))?.key
    }

    @Test("a session is found with what it was opened with")
    func found() throws {
        var table = table()
        let opened = try #require(open(&table, "a"))
        let session = try #require(table.find(id: "a", principal: .alice, now: start))
        #expect(session.key == opened.key)
        #expect(session.protocolVersion == .june2025)
        #expect(session.attachment == 5)
    }

    @Test("the last activity is the last thing that a client sent, and not that it was there")
    func lastActivity() throws {
        var table = table()
        #expect(table.lastActivity == nil)
        _ = try #require(open(&table, "a", at: 1))
        #expect(table.lastActivity == start.advanced(by: .seconds(1)))
        #expect(use(&table, "a", at: 2) != nil)
        #expect(use(&table, "unknown", at: 3) == nil)
        #expect(table.touch(id: "a", principal: .alice, now: start.advanced(by: .seconds(4))) != nil)
        #expect(table.lastActivity == start.advanced(by: .seconds(2)))
        _ = table.end(id: "a")
        #expect(table.lastActivity == start.advanced(by: .seconds(2)))
    }

    @Test("to any other principal a session does not exist, and is not used")
    func otherPrincipal() {
        var table = table()
        _ = open(&table, "a")
        #expect(table.find(id: "a", principal: .bob, now: start) == nil)
        let used = table.use(id: "a", principal: .bob, now: start.advanced(by: .seconds(1799)))
        #expect(used == nil)
        #expect(use(&table, "a", at: 1800) == nil)
    }

    @Test("a session ends after its idle time, counted from its last use")
    func idle() {
        var table = table()
        _ = open(&table, "a")
        #expect(use(&table, "a", at: 1799) != nil)
        #expect(use(&table, "a", at: 1799 + 1799) != nil)
        #expect(use(&table, "a", at: 1799 + 1799 + 1800) == nil)
    }

    @Test("looking for a session does not count as use")
    func findIsNoUse() {
        var table = table()
        _ = open(&table, "a")
        #expect(table.find(id: "a", principal: .alice, now: start.advanced(by: .seconds(1799))) != nil)
        #expect(table.find(id: "a", principal: .alice, now: start.advanced(by: .seconds(1800))) == nil)
    }

    @Test("a session ends after its absolute time however much it is used")
    func absolute() {
        var table = table()
        _ = open(&table, "a")
        for seconds in stride(from: 1000, to: 86_400, by: 1000) { #expect(use(&table, "a", at: seconds) != nil) }
        #expect(use(&table, "a", at: 86_400) == nil)
    }

    @Test("a sweep ends what is over its time and answers it")
    func sweep() {
        var table = table()
        _ = open(&table, "a")
        _ = open(&table, "b", at: 100)
        let swept = table.sweep(now: start.advanced(by: .seconds(1800)))
        #expect(swept.map(\.key.number) == [1])
        #expect(table.count == 1)
    }

    @Test("a sweep counts a busy session as used, but not beyond its absolute time")
    func sweepOfBusy() {
        var table = table()
        _ = open(&table, "a")
        let early = table.sweep(now: start.advanced(by: .seconds(1800)), isBusy: { _ in true })
        #expect(early.isEmpty)
        #expect(use(&table, "a", at: 3599) != nil)
        let late = table.sweep(now: start.advanced(by: .seconds(86_400)), isBusy: { _ in true })
        #expect(late.count == 1)
    }

    @Test("an ended session is gone, and ends once")
    func ended() {
        var table = table()
        _ = open(&table, "a")
        let (ended, again) = (table.end(id: "a"), table.end(id: "a"))
        #expect(ended != nil)
        #expect(again == nil)
        #expect(use(&table, "a", at: 0) == nil)
    }

    @Test("at the cap the session idle longest makes room")
    func eviction() throws {
        var table = table { $0.cap = 2 }
        _ = open(&table, "a")
        _ = open(&table, "b", at: 10)
        #expect(use(&table, "a", at: 20) != nil)
        let opened = try #require(open(&table, "c", at: 70))
        #expect(opened.evicted?.key.number == 2)
        #expect(use(&table, "b", at: 70) == nil)
        #expect(table.count == 2)
        #expect(use(&table, "a", at: 70) != nil)
    }

    @Test("at the cap no session that was used within a minute is put out")
    func full() {
        var table = table { $0.cap = 1 }
        _ = open(&table, "a")
        #expect(open(&table, "b", at: 59) == nil)
        #expect(table.count == 1)
        #expect(open(&table, "b", at: 60) != nil)
    }

    @Test("a session's key is never used twice")
    func keys() throws {
        var table = table()
        let first = try #require(open(&table, "a")).key
        _ = table.end(id: "a")
        #expect(try #require(open(&table, "b")).key != first)
    }

    @Test("sessions can be ended by a condition")
    func endWhere() {
        var table = table()
        for id in ["a", "b", "c"] { _ = open(&table, id) }
        let ended = table.end(where: { $0.key.number != 2 })
        #expect(Set(ended.map(\.key.number)) == [1, 3])
        #expect(table.all.map(\.key.number) == [2])
    }
}
