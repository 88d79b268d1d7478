// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Aggregate: modern clients that listen", .timeLimit(.minutes(1))) struct ModernAggregateListenTests {
    typealias Fixture = AggregateServerTests.Fixture
    static let lists = AggregateServerTests.lists

    private static func told(_ notification: String, _ params: String = "", id: String = "9") -> String {
        let rest = params.isEmpty ? "" : "," + params
        return #"{"jsonrpc":"2.0","method":"notifications/\#(notification)","params":"#
            + #"{"_meta":{"io.modelcontextprotocol/subscriptionId":\#(id)}\#(rest)}}"#
    }

    private static func acknowledged(_ honoured: String) -> String {
        told("subscriptions/acknowledged", #""notifications":{\#(honoured)}"#)
    }

    private static let toolsChanged = told("tools/list_changed")

    private func listen(
        _ fixture: Fixture, _ notifications: String, servers: Grant.Servers = .all
    ) throws -> (sink: RecordingSink, ticket: CallTicket?) {
        try ModernAggregateClient(server: fixture.server, servers: servers).send(
            "subscriptions/listen", #""notifications":{\#(notifications)}"#, id: "9")
    }

    @Test("a client is told once what it hears of, first, and then what each member tells, under its own id")
    func acknowledgement() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""toolsListChanged":true,"promptsListChanged":false"#)
        #expect(one.held[0].json["params"]?["notifications"] == ["toolsListChanged": true])
        #expect(one.held[0].id == 9)
        one.held[0].acknowledge(["toolsListChanged": true])
        one.held[0].tell("tools/list_changed")
        #expect(listening.sink.messages.isEmpty)
        two.held[0].acknowledge([:])
        #expect(listening.sink.messages == [Self.acknowledged(#""toolsListChanged":true"#), Self.toolsChanged])
        two.held[0].tell("tools/list_changed")
        #expect(listening.sink.messages.count == 3)
        fixture.delays.runAll()
        #expect(listening.sink.messages.count == 3)
        #expect(listening.sink.answers.isEmpty)
    }

    @Test("a member that refuses or says nothing does not hold the acknowledgement up for longer than its limit")
    func patience() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""toolsListChanged":true"#)
        one.held[0].refuse(-32601, "no such method")
        #expect(listening.sink.messages.isEmpty)
        fixture.delays.runAll()
        #expect(listening.sink.messages == [Self.acknowledged(#""toolsListChanged":true"#)])
        // It is heard of all the same once it speaks.
        two.held[0].acknowledge(["toolsListChanged": true])
        two.held[0].tell("tools/list_changed")
        #expect(listening.sink.messages.count == 2)
    }

    @Test("a resource is watched at its owner, and named as the client named it") func resources() throws {
        let (one, two) = (FakeMember("one", results: Self.lists), FakeMember("two", results: Self.lists))
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""resourceSubscriptions":["x:1","lodge+two:x:1"]"#)
        for member in [one, two] {
            #expect(member.held[0].json["params"]?["notifications"] == ["resourceSubscriptions": ["x:1"]])
            member.held[0].acknowledge(["resourceSubscriptions": ["x:1"]])
        }
        #expect(
            listening.sink.messages == [Self.acknowledged(#""resourceSubscriptions":["x:1","lodge+two:x:1"]"#)])
        for member in [one, two] { member.held[0].tell("resources/updated", [.init("uri", "x:1")]) }
        #expect(
            listening.sink.messages.suffix(2) == [
                Self.told("resources/updated", #""uri":"x:1""#),
                Self.told("resources/updated", #""uri":"lodge+two:x:1""#),
            ])
    }

    @Test("only what a member watches is acknowledged, and one without any part is not asked") func notWatched() throws
    {
        var first = Self.lists
        first["resources/list"] = ["resources": [["uri": "y:1"]]]
        let (one, two) = (FakeMember("one", results: first), FakeMember("two", results: Self.lists))
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""resourceSubscriptions":["x:1"]"#)
        #expect(one.held.isEmpty)
        try #require(two.held.first).acknowledge([:])
        #expect(listening.sink.messages == [Self.acknowledged("")])
    }

    @Test("a member that goes and comes back is told of, and listened to again where that had ended")
    func comingAndGoing() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""toolsListChanged":true"#)
        for member in [one, two] { member.held[0].acknowledge(["toolsListChanged": true]) }
        fixture.server.serverWentDown("one")
        fixture.server.serverWentDown("one")
        #expect(listening.sink.messages.suffix(from: 1) == [Self.toolsChanged])
        one.held[0].answer(["resultType": "complete"])
        fixture.server.serverCameUp("one")
        fixture.server.serverCameUp("one")
        #expect(one.held.count == 2)
        #expect(listening.sink.messages.suffix(from: 1) == [Self.toolsChanged, Self.toolsChanged])
        one.held[1].acknowledge(["toolsListChanged": true])
        one.held[1].tell("tools/list_changed")
        #expect(listening.sink.messages.count == 4)
        // A listener that lasts over a restart tells of it itself.
        fixture.server.serverWentDown("two")
        fixture.server.serverCameUp("two")
        #expect(two.held.count == 1)
        #expect(listening.sink.messages.count == 5)
        #expect(listening.sink.answers.isEmpty)
    }

    @Test("a member that is down at first is not waited for, and listened to once it is up") func downAtFirst() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        two.setReady(false)
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""toolsListChanged":true"#)
        one.held[0].acknowledge(["toolsListChanged": true])
        #expect(listening.sink.messages.count == 1)
        two.setReady(true)
        fixture.server.serverCameUp("two")
        #expect(two.held.count == 1)
        #expect(listening.sink.messages.suffix(from: 1) == [Self.toolsChanged])
    }

    @Test("servers that are added and removed are told of, within the grant") func addedAndRemoved() throws {
        let (one, two, three) = (FakeMember("one"), FakeMember("two"), FakeMember("three"))
        let fixture = try Fixture([one])
        let listening = try listen(fixture, #""toolsListChanged":true"#, servers: .only(["one", "two"]))
        one.held[0].acknowledge(["toolsListChanged": true])
        fixture.server.setMembers([one, two, three].map { Fixture.member($0) })
        #expect(two.held.count == 1)
        #expect(three.received.isEmpty)
        #expect(listening.sink.messages.count == 2)
        fixture.server.setMembers([Fixture.member(two)])
        #expect(one.withdrawn == 1)
        #expect(listening.sink.messages.count == 3)
        one.held[0].tell("tools/list_changed")
        #expect(listening.sink.messages.count == 3)
    }

    @Test("a client that leaves leaves nothing, at no member and not here") func leaving() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let listening = try listen(fixture, #""toolsListChanged":true"#)
        one.held[0].acknowledge(["toolsListChanged": true])
        #expect(fixture.server.modern.listening == 1)
        listening.ticket?.abandon()
        #expect([one.withdrawn, two.withdrawn] == [1, 1])
        #expect(fixture.server.modern.listening == 0)
        fixture.server.serverWentDown("one")
        fixture.delays.runAll()
        one.held[0].tell("tools/list_changed")
        #expect(listening.sink.messages.isEmpty)
    }

    @Test("a client that leaves while resources are looked for leaves nothing either") func leavingEarly() throws {
        let one = FakeMember("one")
        let fixture = try Fixture([one])
        let listening = try listen(fixture, #""resourceSubscriptions":["x:1"]"#)
        #expect(one.held.map { $0.json["method"] } == ["resources/list"])
        listening.ticket?.abandon()
        one.held[0].answer(["resources": []])
        #expect(one.received.count == 1)
        #expect(fixture.server.modern.listening == 0)
    }
}
