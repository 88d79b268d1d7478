// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import LodgeConfiguration
import NIOCore
import Testing

@Suite("Aggregate: a client and its members", .timeLimit(.minutes(1))) struct AggregateServerTests {
    struct Fixture {
        let delays = FakeDelays()
        let server: AggregateServer
        let servers: ServerFixture

        init(_ members: [FakeMember], client isolated: Set<String> = []) throws {
            servers = try ServerFixture()
            server = AggregateServer(version: "9.9.9", ports: servers.ports, delays: delays)
            server.setMembers(members.map { Self.member($0, isolated) })
        }

        static func member(_ member: FakeMember, _ isolated: Set<String> = []) -> AggregateMember {
            AggregateMember(member, isolation: isolated.contains(member.name) ? .client : .shared)
        }

        func opening(
            version: String = "2025-11-25", principal: Principal = .anonymous, servers: Grant.Servers = .all
        ) throws -> (RecordingSink, Admission) {
            let sink = RecordingSink()
            let bytes = ByteBuffer(string: Sample.initialize(id: #""me""#, version: version))
            let message = ClientMessage(
                bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span), session: nil,
                principal: principal, servers: servers)
            return (sink, server.receive(message, sink: sink))
        }

        func client(principal: Principal = .anonymous, servers: Grant.Servers = .all) throws -> AggregateClient {
            let (sink, _) = try opening(principal: principal, servers: servers)
            let session = try #require(sink.openedSession)
            return AggregateClient(server: server, session: session, principal: principal, servers: servers)
        }
    }

    static let tools: JSONValue = ["tools": [["name": "read"]]]
    static let lists: [String: JSONValue] = [
        "tools/list": tools, "prompts/list": ["prompts": [["name": "ask"]]],
        "resources/list": ["resources": [["uri": "x:1", "name": "one"]]],
        "resources/templates/list": ["resourceTemplates": []],
    ]

    static let toolsChanged = #"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#
    static let changes = ["prompts", "resources", "tools"].map {
        #"{"jsonrpc":"2.0","method":"notifications/\#($0)/list_changed"}"#
    }

    // MARK: initialize

    @Test("a client is let in once every member has answered, with what they have in common") func initialize() throws {
        let (one, two) = (FakeMember("one", instructions: "One."), FakeMember("two", capabilities: ["logging": [:]]))
        two.setAnswersInitialize(false)
        let fixture = try Fixture([one, two])
        let (sink, _) = try fixture.opening(version: "2025-06-18")
        #expect(sink.answers.isEmpty)
        two.open(try #require(two.held.first))
        #expect(sink.openedSession != nil)
        let answer = try JSONValue.parse(Array(try #require(sink.bodies.first).utf8))
        #expect(answer["id"] == "me")
        #expect(
            answer["result"] == [
                "protocolVersion": "2025-06-18",
                "capabilities": [
                    "tools": ["listChanged": true], "prompts": ["listChanged": true],
                    "resources": ["listChanged": true, "subscribe": true], "logging": [:],
                ],
                "serverInfo": ["name": "lodge", "version": "9.9.9"], "instructions": "one:\nOne.",
            ])
        // Each member was sent the client's own words.
        #expect(two.received.map(\.text) == [Sample.initialize(id: #""me""#, version: "2025-06-18")])
    }

    @Test("a version that is not known is answered with the newest") func unknownVersion() throws {
        let (sink, _) = try Fixture([FakeMember("one")]).opening(version: "2099-01-01")
        #expect(try #require(sink.bodies.first).contains(#""protocolVersion":"2025-11-25""#))
    }

    @Test("an initialize that is too long to be kept is refused, and reaches nobody") func longInitialize() throws {
        let one = FakeMember("one")
        let (sink, admission) = try Fixture([one]).opening(version: String(repeating: "x", count: 256 * 1024))
        #expect(
            admission.error == #"{"jsonrpc":"2.0","id":"me","error":{"code":-32602,"#
                + #""message":"initialize is longer than 262144 bytes; send less"}}"#)
        #expect(sink.answers.isEmpty)
        #expect(one.received.isEmpty)
    }

    @Test("a member that is down drops out; only where all are down is the client refused, with the first's reason")
    func down() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two", results: Self.lists))
        one.setReady(false)
        let fixture = try Fixture([one, two])
        let client = try fixture.client()
        #expect(try client.names("tools/list", "tools") == ["two__read"])
        two.setReady(false)
        let (sink, _) = try fixture.opening()
        #expect(sink.retryAfter == 7)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":"me","error":{"code":-32000,"message":"one is down"}}"#])
    }

    @Test("a client that leaves while members start leaves no session behind") func leaving() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        two.setAnswersInitialize(false)
        let (sink, admission) = try Fixture([one, two]).opening()
        #expect(one.sessions.count == 1)
        admission.ticket?.abandon()
        #expect(one.sessions.isEmpty)
        #expect(two.withdrawn == 1)
        two.open(try #require(two.held.first))
        #expect(two.sessions.isEmpty)
        #expect(sink.answers.isEmpty)
    }

    // MARK: Grants

    @Test("a client sees the members of its grant, and never learns of others") func grants() throws {
        let (one, two) = (FakeMember("one", results: Self.lists), FakeMember("two", results: Self.lists))
        let fixture = try Fixture([one, two])
        let client = try fixture.client(principal: .alice, servers: .only(["two"]))
        #expect(try client.names("tools/list", "tools") == ["two__read"])
        #expect(try client.names("resources/list", "resources", "uri") == ["x:1"])
        let refused = try client.request("tools/call", #"{"name":"one__read"}"#)
        #expect(refused["error"] == ["code": -32602, "message": "unknown tool: one__read"])
        let unknown = try client.request("tools/call", #"{"name":"none__read"}"#)
        #expect(unknown["error"] == ["code": -32602, "message": "unknown tool: none__read"])
        _ = try client.request("resources/read", #"{"uri":"lodge+one:x:1"}"#)
        #expect(one.received.isEmpty)
        #expect(fixture.server.isReached(by: .only(["two"])))
        #expect(!fixture.server.isReached(by: .only(["three"])))
    }

    @Test("a session belongs to its principal") func principals() throws {
        let fixture = try Fixture([FakeMember("one", results: Self.lists)])
        var thief = try fixture.client(principal: .alice)
        thief.principal = .bob
        let sink = RecordingSink()
        #expect(try thief.admit(Sample.call(id: "1", tool: "one__read"), sink).refusal == .unknownSession)
        #expect(thief.openStream() == nil)
        #expect(!fixture.server.endSession(thief.session, principal: .bob))
        #expect(fixture.server.protocolVersion(session: thief.session, principal: .bob) == nil)
    }

    // MARK: Calls

    @Test("a call reaches the member of its prefix under its own name, and nobody else") func call() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two", results: ["tools/call": ["from": "two"]]))
        let client = try Fixture([one, two]).client()
        let params = #"{"arguments":{"n":1},"name":"two__read","_meta":{"progressToken":"t"}}"#
        #expect(try client.request("tools/call", params, id: #""a/1""#)["result"] == ["from": "two"])
        let arrived = try #require(two.received.last)
        #expect(arrived.session == "two-1")
        #expect(arrived.json["params"] == ["arguments": ["n": 1], "name": "read", "_meta": ["progressToken": "t"]])
        #expect(arrived.id == "a/1")
        #expect(one.texts(of: "tools/call").isEmpty)
        #expect(try client.request("prompts/get", #"{"name":"one__ask"}"#) == .null)
        #expect(one.held.first?.json["params"] == ["name": "ask"])
        let escaped = try client.request("tools/call", #"{"name":"\u0074wo\u005f_read"}"#)
        #expect(escaped["result"] == ["from": "two"])
        #expect(two.received.last?.json["params"] == ["name": "read"])
    }

    static let refusals: [(method: String, params: String, code: Int64, message: String)] = [
        ("tools/call", #"{"name":"read"}"#, -32602, "unknown tool: read"),
        ("tools/call", #"{}"#, -32602, "unknown tool: "),
        ("prompts/get", #"{"name":"three__ask"}"#, -32602, "unknown prompt: three__ask"),
        ("tools/list", #"{"cursor":"x"}"#, -32602, "unknown cursor; the lists of all servers have one page"),
        ("tools/call", #"{"name":"one__read","task":{}}"#, -32601, AggregateServerTests.noTasks),
        ("tasks/get", #"{"taskId":"t"}"#, -32601, AggregateServerTests.noTasks),
        ("own/method", "{}", -32601, "method not found: own/method"),
        (
            "logging/setLevel", #"{"level":"loud"}"#, -32602,
            "unknown log level; use one of debug, info, notice, warning, error, critical, alert, emergency"
        ),
        ("completion/complete", #"{"ref":{"type":"ref/prompt","name":"x"}}"#, -32602, "unknown prompt: x"),
        ("completion/complete", "{}", -32602, "completion/complete needs params with a ref"),
        ("resources/read", "{}", -32602, "the request needs params with a uri"),
    ]
    static let noTasks = "tasks are not relayed by the endpoint of all servers; use the server's own"

    @Test("what means no member is refused here, by name", arguments: refusals)
    func refused(method: String, params: String, code: Int64, message: String) throws {
        let one = FakeMember("one")
        let answer = try Fixture([one]).client().request(method, params)
        #expect(answer["error"] == ["code": .number(.init(code)), "message": .string(message)])
        #expect(one.received.count == 1)
    }

    @Test("ping is answered here") func ping() throws {
        let one = FakeMember("one")
        #expect(try Fixture([one]).client().request("ping")["result"] == [:])
        #expect(one.received.count == 1)
    }

    @Test("a member's session that has ended is opened again before the call, once, with what the client had set")
    func reopened() throws {
        let one = FakeMember(
            "one", capabilities: ["tools": [:], "logging": [:], "resources": [:]],
            results: Self.lists.merging([
                "tools/call": ["ok": true], "resources/subscribe": [:], "logging/setLevel": [:],
            ]) {
                $1
            })
        let client = try Fixture([one]).client()
        try client.send(Sample.initialized)
        _ = try client.request("logging/setLevel", #"{"level":"error"}"#)
        _ = try client.request("resources/subscribe", #"{"uri":"x:1"}"#)
        one.loseSessions()
        #expect(try client.request("tools/call", #"{"name":"one__read"}"#)["result"] == ["ok": true])
        #expect(one.opened == 2)
        let again = one.received.filter { $0.session == "one-2" }.map { $0.json["method"]?.string }
        #expect(again == ["notifications/initialized", "logging/setLevel", "resources/subscribe", "tools/call"])
    }

    @Test("a call to a member that cannot be opened gets the member's reason under the call's own id") func callToDown()
        throws
    {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        one.setReady(false)
        let client = try Fixture([one, two]).client()
        let sink = try client.send(Sample.call(id: "5", tool: "one__read"))
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":5,"error":{"code":-32000,"message":"one is down"}}"#])
        #expect(sink.retryAfter == nil)
    }

    // MARK: Lists

    @Test("all pages of all members stand in one list, in the order of configuration") func pages() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two", results: Self.lists))
        let client = try Fixture([one, two]).client()
        let sink = try client.send(#"{"jsonrpc":"2.0","id":"l","method":"tools/list"}"#)
        one.held[0].answer(["tools": [["name": "a"]], "nextCursor": "p2"])
        #expect(one.held[1].json["params"] == ["cursor": "p2"])
        one.held[1].answer(["tools": [["name": "b"]], "_meta": ["k": 1]])
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":"l","result":{"tools":[{"name":"one__a"},{"name":"one__b"},{"name":"two__read"}]}}"#
            ])
    }

    @Test("a member that pages for ever is cut, and its list is as long as it may be") func endlessPages() throws {
        let one = FakeMember("one", results: ["tools/list": ["tools": [["name": "a"]], "nextCursor": "more"]])
        let client = try Fixture([one]).client()
        #expect(try client.names("tools/list", "tools").count == 200)
        #expect(one.texts(of: "tools/list").count == 200)
    }

    @Test("a list with more entries than are taken is cut") func tooManyEntries() throws {
        let tools = (0..<10_001).map { ["name": .string("t\($0)")] as JSONValue }
        let client = try Fixture([FakeMember("one", results: ["tools/list": ["tools": .array(tools)]])]).client()
        let names = try client.names("tools/list", "tools")
        #expect(names.count == 10_000)
        #expect(names.last == "one__t9999")
    }

    @Test("a member that does not list in time is left out, its request is given up, and the others are answered")
    func slowMember() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two", results: Self.lists))
        let fixture = try Fixture([one, two])
        let client = try fixture.client()
        let sink = try client.send(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        #expect(sink.bodies.isEmpty)
        fixture.delays.runAll()
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"result":{"tools":[{"name":"two__read"}]}}"#])
        #expect(one.withdrawn == 1)
    }

    @Test("a list that its client cancels or leaves is given up at every member") func cancelledList() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let client = try Fixture([one, two]).client()
        let sink = try client.send(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        try client.send(Sample.cancelled("1"))
        #expect(try #require(sink.bodies.first).contains(#""reason":"cancelled""#))
        #expect([one.withdrawn, two.withdrawn] == [1, 1])
        let left = RecordingSink()
        try client.admit(#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#, left).ticket?.abandon()
        #expect([one.withdrawn, two.withdrawn] == [2, 2])
        one.held.last?.answer(Self.tools)
        two.held.last?.answer(Self.tools)
        #expect(left.answers.isEmpty)
    }

    // MARK: Resources

    @Test("a resource is read from its owner, and the other's under its prefix, which stands in the answer too")
    func read() throws {
        func contents(_ text: JSONValue) -> JSONValue { ["contents": [["uri": "x:1", "text": text]]] }
        let one = FakeMember("one", results: Self.lists.merging(["resources/read": contents("one")]) { $1 })
        let two = FakeMember("two", results: Self.lists.merging(["resources/read": contents("two")]) { $1 })
        let client = try Fixture([one, two]).client()
        // Nothing was listed yet: the lists are asked for.
        #expect(try client.request("resources/read", #"{"uri":"x:1"}"#)["result"] == contents("one"))
        #expect(try client.names("resources/list", "resources", "uri") == ["x:1", "lodge+two:x:1"])
        #expect(
            try client.request("resources/read", #"{"uri":"lodge+two:x:1"}"#)["result"] == [
                "contents": [["uri": "lodge+two:x:1", "text": "two"]]
            ])
        #expect(two.received.last?.json["params"] == ["uri": "x:1"])
        #expect(one.texts(of: "resources/read").count == 1)
    }

    @Test("a link to a resource in a tool's answer leads to that tool's server") func links() throws {
        let call: JSONValue = ["content": [["type": "resource_link", "uri": "x:1"]]]
        let results = Self.lists.merging(["tools/call": call]) { $1 }
        let client = try Fixture(["one", "two"].map { FakeMember($0, results: results) }).client()
        _ = try client.request("resources/list")
        let answers = try ["one", "two"].map { try client.request("tools/call", #"{"name":"\#($0)__read"}"#) }
        #expect(
            answers.map { $0["result"]?["content"]?.elements?.first?["uri"] } == ["x:1", "lodge+two:x:1"])
    }

    @Test("a URI that nobody lists goes to the first template that it fits, else from one member to the next")
    func unlisted() throws {
        var (first, second) = (Self.lists, Self.lists)
        first["resources/list"] = ["resources": []]
        second["resources/templates/list"] = ["resourceTemplates": [["uriTemplate": "t:{id}"]]]
        second["resources/read"] = ["contents": []]
        let (one, two) = (FakeMember("one", results: first), FakeMember("two", results: second))
        let client = try Fixture([one, two]).client()
        #expect(try client.request("resources/read", #"{"uri":"t:5"}"#)["result"] == ["contents": []])
        #expect(one.held.isEmpty)
        let sink = try client.send(#"{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{"uri":"u:1"}}"#)
        try #require(one.held.first).refuse(-32002, "not mine")
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":3,"result":{"contents":[]}}"#])
        two.set("resources/read", nil)
        let last = try client.send(#"{"jsonrpc":"2.0","id":4,"method":"resources/read","params":{"uri":"u:2"}}"#)
        one.held[1].refuse(-32002, "not mine")
        two.held[0].refuse(-32002, "not mine either")
        #expect(last.bodies == [#"{"jsonrpc":"2.0","id":4,"error":{"code":-32002,"message":"not mine"}}"#])
    }

    @Test("an update of a resource names it as its client knows it") func updated() throws {
        let results = Self.lists.merging(["resources/subscribe": [:]]) { $1 }
        let (one, two) = (FakeMember("one", results: results), FakeMember("two", results: results))
        let client = try Fixture([one, two]).client()
        let stream = try #require(client.openStream())
        #expect(try client.names("resources/list", "resources", "uri") == ["x:1", "lodge+two:x:1"])
        #expect(try client.request("resources/subscribe", #"{"uri":"lodge+two:x:1"}"#)["result"] == [:])
        let update = MessageBytes(
            bytes: Array(#"{"method":"notifications/resources/updated","params":{"uri":"x:1"},"jsonrpc":"2.0"}"#.utf8))
        _ = one.streams["one-1"]?.deliver(update)
        _ = two.streams["two-1"]?.deliver(update)
        #expect(
            stream.messages == [
                update.text,
                #"{"method":"notifications/resources/updated","params":{"uri":"lodge+two:x:1"},"jsonrpc":"2.0"}"#,
            ])
    }

    @Test("a completion goes by its prompt's prefix or its template's owner") func completion() throws {
        var results = Self.lists
        results["resources/templates/list"] = ["resourceTemplates": [["uriTemplate": "t:{id}"]]]
        results["completion/complete"] = ["completion": ["values": []]]
        let (one, two) = (FakeMember("one", results: results), FakeMember("two", results: results))
        let client = try Fixture([one, two]).client()
        for reference in [
            #"{"type":"ref/prompt","name":"two__ask"}"#, #"{"type":"ref/resource","uri":"t:{id}"}"#,
            #"{"type":"ref/resource","uri":"lodge+two:t:{id}"}"#,
        ] {
            let answer = try client.request("completion/complete", #"{"ref":\#(reference)}"#)
            #expect(answer["result"] == ["completion": ["values": []]])
        }
        #expect(two.received.compactMap { $0.json["params"]?["ref"]?["name"]?.string } == ["ask"])
        #expect(one.received.compactMap { $0.json["params"]?["ref"]?["uri"]?.string } == ["t:{id}"])
        #expect(two.received.compactMap { $0.json["params"]?["ref"]?["uri"]?.string } == ["t:{id}"])
        let unknown = try client.request("completion/complete", #"{"ref":{"type":"ref/resource","uri":"v:{id}"}}"#)
        #expect(unknown["error"] == ["code": -32602, "message": "unknown resource: v:{id}"])
    }
}
