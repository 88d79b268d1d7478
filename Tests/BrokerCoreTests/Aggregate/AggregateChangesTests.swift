// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import Testing

@Suite("Aggregate: members that come, go and ask", .timeLimit(.minutes(1))) struct AggregateChangesTests {
    typealias Fixture = AggregateServerTests.Fixture
    static let lists = AggregateServerTests.lists
    static let changes = AggregateServerTests.changes

    @Test("a member that dies drops out of the lists and is back in them, and the client is told of both")
    func deathAndReturn()
        throws
    {
        let (one, two) = (
            FakeMember("one", capabilities: ["tools": [:]], results: Self.lists), FakeMember("two", results: Self.lists)
        )
        let fixture = try Fixture([one, two])
        let client = try fixture.client()
        let stream = try #require(client.openStream())
        one.setReady(false)
        fixture.server.serverWentDown("one")
        fixture.server.serverWentDown("one")
        #expect(stream.messages == [AggregateServerTests.toolsChanged])
        #expect(try client.names("tools/list", "tools") == ["two__read"])
        one.setReady(true)
        fixture.server.serverCameUp("one")
        fixture.server.serverCameUp("one")
        #expect(stream.messages == [AggregateServerTests.toolsChanged, AggregateServerTests.toolsChanged])
        #expect(try client.names("tools/list", "tools") == ["one__read", "two__read"])
    }

    @Test("changes that a client had no stream for are told when it opens one, once") func owed() throws {
        let one = FakeMember("one", results: Self.lists)
        let fixture = try Fixture([one, FakeMember("two")])
        let client = try fixture.client()
        fixture.server.serverWentDown("one")
        fixture.server.serverCameUp("one")
        #expect(client.openStream()?.messages == Self.changes)
        #expect(client.openStream()?.messages == [])
    }

    @Test("a member whose session ends with its process is told as changed, and its next call opens another")
    func lostSession() throws {
        let one = FakeMember("one", results: ["tools/call": [:]])
        let client = try Fixture([one], client: ["one"]).client()
        let stream = try #require(client.openStream())
        one.loseSessions()
        #expect(stream.messages == Self.changes)
        #expect(!stream.isClosed)
        #expect(try client.request("tools/call", #"{"name":"one__x"}"#)["result"] == [:])
        #expect(Set(one.streams.keys) == ["one-2"])
    }

    @Test("servers that are added and removed are told; nothing else is renamed") func addedAndRemoved() throws {
        let (one, two) = (FakeMember("one", results: Self.lists), FakeMember("two", results: Self.lists))
        let fixture = try Fixture([one])
        let client = try fixture.client()
        let stream = try #require(client.openStream())
        #expect(try client.names("tools/list", "tools") == ["one__read"])
        fixture.server.setMembers([Fixture.member(one), Fixture.member(two)])
        #expect(stream.messages == Self.changes)
        #expect(try client.names("tools/list", "tools") == ["one__read", "two__read"])
        #expect(try client.names("resources/list", "resources", "uri") == ["x:1", "lodge+two:x:1"])
        fixture.server.setMembers([Fixture.member(two)])
        #expect(stream.messages == Self.changes + Self.changes)
        #expect(one.ended == ["one-1"])
        #expect(try client.names("tools/list", "tools") == ["two__read"])
        // What the client has seen under the prefix keeps it.
        #expect(try client.names("resources/list", "resources", "uri") == ["lodge+two:x:1"])
        #expect(
            try client.request("tools/call", #"{"name":"one__read"}"#)["error"]?["message"] == "unknown tool: one__read"
        )
    }

    @Test("DELETE ends the members' sessions, the stream, and what is under way") func end() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let client = try fixture.client()
        let stream = try #require(client.openStream())
        let sink = try client.send(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        #expect(fixture.server.endSession(client.session, principal: .anonymous))
        #expect(one.sessions.isEmpty && two.sessions.isEmpty)
        #expect(stream.isClosed)
        #expect(try #require(sink.bodies.first).contains(#""reason":"session-ended""#))
        #expect(try client.admit(Sample.call(id: "1"), RecordingSink()).refusal == .unknownSession)
        #expect(!fixture.server.endSession(client.session, principal: .anonymous))
    }

    @Test("a session that is over its time is swept with its members' sessions") func sweep() throws {
        let one = FakeMember("one")
        let fixture = try Fixture([one])
        _ = try fixture.client()
        fixture.servers.clock.advance(by: .seconds(29 * 60))
        fixture.server.sweep()
        #expect(one.sessions.count == 1)
        fixture.servers.clock.advance(by: .seconds(60))
        // The member still has the session, so it may have work for it.
        fixture.server.sweep()
        #expect(one.sessions.count == 1)
        one.loseSessions()
        fixture.servers.clock.advance(by: .seconds(30 * 60))
        fixture.server.sweep()
        #expect(fixture.server.status().sessions == 0)
    }

    @Test(
        "a client that takes what is written to its stream keeps its session, and those at the members, from being idle"
    )
    func touch() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let client = try fixture.client()
        fixture.servers.clock.advance(by: .seconds(29 * 60))
        fixture.server.touch(session: client.session, principal: .anonymous)
        #expect([one.touched, two.touched] == [["one-1"], ["two-1"]])
        fixture.servers.clock.advance(by: .seconds(29 * 60))
        #expect(fixture.server.protocolVersion(session: client.session, principal: .anonymous) == "2025-11-25")
    }

    @Test("requests of two members under one id reach the client under two, and each answer its own member")
    func questions() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let client = try Fixture([one, two], client: ["one", "two"]).client()
        let (first, second) = (RecordingSink(), RecordingSink())
        try client.send(Sample.call(id: "1", tool: "one__ask"), first)
        try client.send(Sample.call(id: "2", tool: "two__ask"), second)
        let question = MessageBytes(
            bytes: Array(
                #"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"_meta":{"progressToken":7}}}"#
                    .utf8))
        one.held[0].sink.deliver(question)
        two.held[0].sink.deliver(question)
        #expect(
            first.messages == [
                #"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{"_meta":{"progressToken":1}}}"#
            ])
        #expect(
            second.messages == [
                #"{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage","params":{"_meta":{"progressToken":2}}}"#
            ])
        try client.send(
            #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":2,"progress":1}}"#)
        try client.send(#"{"jsonrpc":"2.0","id":2,"result":{"to":"two"}}"#)
        try client.send(#"{"jsonrpc":"2.0","id":2,"result":{"to":"two again"}}"#)
        #expect(
            two.received.suffix(2).map(\.text) == [
                #"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":7,"progress":1}}"#,
                #"{"jsonrpc":"2.0","id":7,"result":{"to":"two"}}"#,
            ])
        one.held[0].sink.deliver(
            MessageBytes(
                bytes: Array(#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}"#.utf8)))
        #expect(
            first.messages.last == #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#)
        try client.send(#"{"jsonrpc":"2.0","id":1,"result":{"to":"nobody"}}"#)
        #expect(!one.received.contains { $0.text.contains("nobody") })
    }

    /// Invariant: whatever is lost meanwhile, a call is answered once, by the server that it named.
    @Test("calls of many tasks, while members lose their sessions, are each answered once by their own server")
    func underLoss() async throws {
        let names = ["one", "two", "three"]
        let members = names.map { FakeMember($0, results: ["tools/call": ["from": .string($0)]]) }
        let fixture = try Fixture(members)
        let client = try fixture.client()
        let stream = try #require(client.openStream())
        let wrong = await withTaskGroup(of: [String].self) { group in
            for number in 0..<8 {
                group.addTask {
                    (0..<300).compactMap { round in
                        let name = names[(number + round) % names.count]
                        let sink = RecordingSink()
                        // Every task uses the same id.
                        guard (try? client.send(Sample.call(id: "1", tool: "\(name)__x"), sink)) != nil,
                            sink.bodies == [#"{"jsonrpc":"2.0","id":1,"result":{"from":"\#(name)"}}"#]
                        else { return "\(name): \(sink.bodies)" }
                        return nil
                    }
                }
            }
            group.addTask {
                for round in 0..<200 {
                    members[round % members.count].loseSessions()
                    await Task.yield()
                }
                return []
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        // A session may be lost twice on a call's way: that call fails with the reason, and with no other answer.
        #expect(wrong.allSatisfy { $0.contains("session-ended") }, "\(wrong.first ?? "")")
        #expect(wrong.count < 100)
        #expect(!stream.isClosed)
        #expect(fixture.server.endSession(client.session, principal: .anonymous))
        #expect(members.allSatisfy { $0.sessions.isEmpty })
    }

    @Test("a change of roots reaches the members that know the client, a cancellation each of them")
    func notifications()
        throws
    {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let client = try Fixture([one, two], client: ["two"]).client()
        let roots = #"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#
        try client.send(roots)
        try client.send(Sample.cancelled("9"))
        try client.send(#"{"jsonrpc":"2.0","method":"notifications/own"}"#)
        #expect(one.received.dropFirst().map(\.text) == [Sample.cancelled("9")])
        #expect(two.received.dropFirst().map(\.text) == [roots, Sample.cancelled("9")])
    }
}

@Suite("Aggregate: what tells of servers") struct ServerObserverTests {
    final class Observer: ServerObserver {
        let events = LockedValue<[String]>([])
        func serverCameUp(_ name: String) { events.update { $0.append("\(name) up") } }
        func serverWentDown(_ name: String) { events.update { $0.append("\(name) down") } }
    }

    @Test("a shared server tells of each handshake and each end") func shared() throws {
        let fixture = try ServerFixture()
        let observer = Observer()
        let server = fixture.sharedServer(observer: observer)
        let upstream = try fixture.lastStarted()
        _ = try upstream.startGeneration()
        upstream.generationEnded(Ending(.exited(code: 1)), retry: nil)
        _ = try upstream.startGeneration()
        #expect(observer.events.value == ["files up", "files down", "files up"])
        #expect(server.isReady)
    }

    @Test("a server in isolation client tells that it was proved, once") func client() throws {
        let fixture = try ServerFixture()
        let observer = Observer()
        let server = fixture.clientServer(observer: observer)
        _ = try fixture.lastStarted().startGeneration()
        #expect(observer.events.value == ["files up"])
        let sink = RecordingSink()
        _ = server.receive(try .of(Sample.initialize), sink: sink)
        let upstream = try fixture.lastStarted()
        upstream.generationStarted(FakeConnection(), timer: FakeTimer())
        try upstream.serve(Sample.initializeAnswer(id: "1"))
        #expect(sink.openedSession != nil)
        #expect(observer.events.value == ["files up"])
    }
}
