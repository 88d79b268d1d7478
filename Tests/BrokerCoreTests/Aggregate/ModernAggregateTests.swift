// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Aggregate: requests of modern clients", .timeLimit(.minutes(1))) struct ModernAggregateTests {
    typealias Fixture = AggregateServerTests.Fixture
    static let lists = AggregateServerTests.lists
    static let info: JSONValue = ["name": "lodge", "version": "9.9.9"]

    private func client(_ members: [FakeMember]) throws -> ModernAggregateClient {
        ModernAggregateClient(server: try Fixture(members).server)
    }

    private func discovery(_ capabilities: JSONValue, _ instructions: String? = nil) -> JSONValue {
        var members: [JSONValue.Member] = [.init("resultType", "complete"), .init("capabilities", capabilities)]
        if let instructions { members.append(.init("instructions", .string(instructions))) }
        return .object(members)
    }

    // MARK: server/discover

    @Test("a discovery is the union of what members say to this client, and leaves out one that is down or silent")
    func discover() throws {
        let one = FakeMember(
            "one", results: ["server/discover": discovery(["tools": [:], "logging": [:]], "One.")])
        let two = FakeMember(
            "two", results: ["server/discover": discovery(["resources": ["subscribe": true]], "Two.")])
        let (down, silent) = (FakeMember("down"), FakeMember("silent"))
        down.setReady(false)
        let fixture = try Fixture([one, two, down, silent])
        let sent = try ModernAggregateClient(server: fixture.server).send("server/discover", id: #""d""#)
        #expect(sent.sink.answers.isEmpty)
        fixture.delays.runAll()
        let answer = try JSONValue.parse(Array(try #require(sent.sink.bodies.first).utf8))
        #expect(answer["id"] == "d")
        #expect(
            answer["result"] == [
                "resultType": "complete", "supportedVersions": ["2026-07-28"],
                "capabilities": [
                    "tools": ["listChanged": true], "resources": ["listChanged": true, "subscribe": true],
                    "logging": [:],
                ],
                "instructions": "one:\nOne.\n\ntwo:\nTwo.", "ttlMs": 0, "cacheScope": "private",
                "_meta": ["io.modelcontextprotocol/serverInfo": Self.info],
            ])
        #expect(one.received.map(\.json) == [try JSONValue.parse(Array(Self.request("server/discover").utf8))])
        #expect(down.received.isEmpty)
        silent.held.first?.answer(discovery(["prompts": [:]]))
        #expect(sent.sink.answers.count == 1)
    }

    private static func request(_ method: String) -> String {
        #"{"jsonrpc":"2.0","id":"d","method":"\#(method)","params":{"_meta":\#(ModernAggregateClient.meta)}}"#
    }

    @Test("where no member says anything, a discovery has all lists, so that its client looks for them later")
    func nobodyThere() throws {
        let one = FakeMember("one")
        one.setReady(false)
        let answer = try client([one]).request("server/discover")
        #expect(
            answer["result"]?["capabilities"] == [
                "tools": ["listChanged": true], "prompts": ["listChanged": true], "resources": ["listChanged": true],
            ])
    }

    // MARK: Lists

    @Test("a list has one page of all members' pages, good for this moment and this client alone") func list() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two", results: Self.lists))
        let client = try client([one, two])
        let sink = try client.send("tools/list", id: "7").sink
        one.held[0].answer(["tools": [["name": "a"]], "nextCursor": "more"])
        #expect(one.held[1].json["params"]?["cursor"] == "more")
        #expect(one.held[1].json["params"]?["_meta"]?.members?.count == 2)
        one.held[1].answer(["tools": [["name": "b"]]])
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"name":"one__a"},{"name":"one__b"},{"name":"two__read"}],"#
                    + #""resultType":"complete","ttlMs":0,"cacheScope":"private","_meta":"#
                    + #"{"io.modelcontextprotocol/serverInfo":{"name":"lodge","version":"9.9.9"}}}}"#
            ])
        let refused = try client.send("tools/list", #""cursor":"x""#).sink
        #expect(refused.codes == [-32602])
    }

    @Test("a member that fails, is down or does not know a list drops out of it") func droppedOut() throws {
        let (one, two, three) = (FakeMember("one", results: Self.lists), FakeMember("two"), FakeMember("three"))
        three.setReady(false)
        let client = try client([one, two, three])
        let sink = try client.send("prompts/list").sink
        try #require(two.held.first).refuse(-32601, "no prompts")
        #expect(sink.bodies.count == 1)
        #expect(try #require(sink.bodies.first).contains(#""prompts":[{"name":"one__ask"}],"#))
        #expect(three.received.isEmpty)
    }

    @Test("a client that leaves gives up what members have of its list") func leaving() throws {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let sent = try client([one, two]).send("tools/list")
        sent.ticket?.abandon()
        #expect([one.withdrawn, two.withdrawn] == [1, 1])
        one.held[0].answer(AggregateServerTests.tools)
        two.held[0].answer(AggregateServerTests.tools)
        #expect(sent.sink.answers.isEmpty)
    }

    // MARK: Calls

    @Test("a call goes to its member without the prefix and is the same otherwise; so does its retry") func call()
        throws
    {
        let (one, two) = (FakeMember("one"), FakeMember("two"))
        let fixture = try Fixture([one, two])
        let client = ModernAggregateClient(server: fixture.server)
        let fields = [ParameterField(name: "mcp-param-a", value: "1")]
        let first = try client.send("tools/call", #""name":"two__ask","arguments":{"a":1}"#, fields: fields).sink
        let call = try #require(two.held.first)
        #expect(call.session == nil)
        #expect(call.fields == fields)
        #expect(call.json["params"]?["name"] == "ask")
        #expect(call.json["params"]?["arguments"] == ["a": 1])
        let asks: JSONValue = ["resultType": "input_required", "inputRequests": [:], "requestState": "sealed"]
        call.answer(asks)
        #expect(try JSONValue.parse(Array(try #require(first.bodies.first).utf8))["result"] == asks)
        try client.send(
            "tools/call", #""name":"two__ask","arguments":{"a":1},"inputResponses":{},"requestState":"sealed""#,
            id: "2")
        #expect(two.held[1].json["params"]?["requestState"] == "sealed")
        #expect(two.held[1].json["params"]?["name"] == "ask")
        #expect(one.received.isEmpty)
    }

    @Test("a member's error passes as it is, and a client that leaves its call gives it up there") func errors() throws
    {
        let one = FakeMember("one")
        let client = try client([one])
        let failed = try client.send("prompts/get", #""name":"one__p""#).sink
        one.held[0].refuse(-32021, "declare it")
        #expect(
            failed.answers.map(\.bytes.text) == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32021,"message":"declare it"}}"#
            ])
        #expect(failed.codes == [-32021])
        try client.send("tools/call", #""name":"one__t""#).ticket?.abandon()
        #expect(one.withdrawn == 1)
    }

    @Test(
        "what no member has is refused as one server refuses it",
        arguments: [
            ("tools/call", #""name":"none__x""#, -32602, "unknown tool: none__x"),
            ("tools/call", #""name":"x""#, -32602, "unknown tool: x"),
            ("prompts/get", #""name":"__x""#, -32602, "unknown prompt: __x"),
            ("tools/list", #""cursor":"x""#, -32602, "unknown cursor; the lists of all servers have one page"),
            ("ping", "", -32601, "method 'ping' is not one of revision 2026-07-28"),
            ("initialize", "", -32601, "method 'initialize' is not one of revision 2026-07-28"),
            ("tasks/get", #""taskId":"t""#, -32601, "method 'tasks/get' is not one of this server"),
            ("own/method", "", -32601, "method 'own/method' is not one of this server"),
            ("tools/call", #""name":"one__x","Name":"two__x""#, -32601, ""),
            ("resources/read", "", -32602, "the request needs params with a uri"),
            ("completion/complete", "", -32602, "completion/complete needs params with a ref"),
            (
                "subscriptions/listen", #""notifications":{"toolsListChanged":1}"#, -32602,
                "params.notifications must be an object of booleans and, for resources, a list of URIs"
            ),
        ])
    func refused(method: String, params: String, code: Int, message: String) throws {
        let one = FakeMember("one")
        let sink = try client([one]).send(method, params).sink
        guard !message.isEmpty else {
            // The member judges names; the aggregate passes the call on.
            #expect(one.held.count == 1)
            return
        }
        #expect(sink.codes == [code])
        let error = try JSONValue.parse(Array(try #require(sink.bodies.first).utf8))["error"]
        #expect(error?["message"] == .string(message))
        #expect(one.received.isEmpty)
    }

    @Test("metadata that is missing or of another revision is refused as one server refuses it") func metadata() throws
    {
        let client = try client([FakeMember("one")])
        let noCapabilities = #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#
        #expect(try client.send("tools/list", meta: noCapabilities).sink.codes == [-32602])
        let other =
            #"{"io.modelcontextprotocol/protocolVersion":"2099-01-01","io.modelcontextprotocol/clientCapabilities":{}}"#
        #expect(try client.send("tools/list", meta: other).sink.codes == [-32022])
    }

    @Test("only the members of a grant exist") func grants() throws {
        let (one, two) = (FakeMember("one", results: Self.lists), FakeMember("two", results: Self.lists))
        var client = try client([one, two])
        (client.principal, client.servers) = (.alice, .only(["two"]))
        #expect(try client.names("tools/list", "tools") == ["two__read"])
        #expect(try client.names("resources/list", "resources", "uri") == ["x:1"])
        #expect(try client.send("tools/call", #""name":"one__read""#).sink.codes == [-32602])
        try client.send("server/discover")
        try client.send("subscriptions/listen", #""notifications":{"toolsListChanged":true}"#)
        try client.send("resources/read", #""uri":"lodge+one:x:1""#)
        #expect(one.received.isEmpty)
    }

    // MARK: Resources

    @Test("a resource is read from its owner, and the other's under its prefix, which stands in the answer too")
    func read() throws {
        func contents(_ text: JSONValue) -> JSONValue { ["contents": [["uri": "x:1", "text": text]]] }
        let one = FakeMember("one", results: Self.lists.merging(["resources/read": contents("one")]) { $1 })
        let two = FakeMember("two", results: Self.lists.merging(["resources/read": contents("two")]) { $1 })
        let client = try client([one, two])
        #expect(try client.request("resources/read", #""uri":"x:1""#)["result"] == contents("one"))
        #expect(try client.request("resources/read", #""uri":"x:1""#)["result"] == contents("one"))
        // The lists are asked for once.
        #expect(one.texts(of: "resources/list").count == 1)
        #expect(
            try client.request("resources/read", #""uri":"lodge+two:x:1""#)["result"] == [
                "contents": [["uri": "lodge+two:x:1", "text": "two"]]
            ])
        #expect(two.received.last?.json["params"]?["uri"] == "x:1")
    }

    @Test("a URI that nobody lists goes to its template's owner, else from one member to the next") func unlisted()
        throws
    {
        var (first, second) = (Self.lists, Self.lists)
        first["resources/list"] = ["resources": []]
        second["resources/templates/list"] = ["resourceTemplates": [["uriTemplate": "t:{id}"]]]
        second["resources/read"] = ["contents": []]
        let (one, two) = (FakeMember("one", results: first), FakeMember("two", results: second))
        let client = try client([one, two])
        #expect(try client.request("resources/read", #""uri":"t:5""#)["result"] == ["contents": []])
        #expect(one.held.isEmpty)
        let found = try client.send("resources/read", #""uri":"u:1""#, id: "3").sink
        one.held[0].refuse(-32602, "not mine")
        #expect(found.bodies == [#"{"jsonrpc":"2.0","id":3,"result":{"contents":[]}}"#])
        two.set("resources/read", nil)
        let nowhere = try client.send("resources/read", #""uri":"u:2""#, id: "4").sink
        one.held[1].refuse(-32601, "what?")
        two.held[0].refuse(-32602, "not mine either")
        #expect(nowhere.bodies == [#"{"jsonrpc":"2.0","id":4,"error":{"code":-32602,"message":"not mine either"}}"#])
        let unknown = try client.send("resources/read", #""uri":"u:3""#, id: "5").sink
        one.held[2].refuse(-32601, "what?")
        two.held[1].refuse(-32601, "what?")
        #expect(
            unknown.bodies == [
                #"{"jsonrpc":"2.0","id":5,"error":{"code":-32602,"message":"unknown resource: u:3","data":{"uri":"u:3"}}}"#
            ])
        #expect(unknown.codes == [-32602])
    }

    @Test("what one principal has seen renames nothing for another") func principals() throws {
        let (one, two) = (FakeMember("one", results: Self.lists), FakeMember("two", results: Self.lists))
        let fixture = try Fixture([one, two])
        let alice = ModernAggregateClient(server: fixture.server, principal: .alice)
        let bob = ModernAggregateClient(server: fixture.server, principal: .bob, servers: .only(["two"]))
        #expect(try alice.names("resources/list", "resources", "uri") == ["x:1", "lodge+two:x:1"])
        #expect(try bob.names("resources/list", "resources", "uri") == ["x:1"])
        #expect(try alice.names("resources/list", "resources", "uri") == ["x:1", "lodge+two:x:1"])
    }

    @Test("a link to a resource in a tool's answer leads to that tool's server") func links() throws {
        let call: JSONValue = ["content": [["type": "resource_link", "uri": "x:1"]]]
        let results = Self.lists.merging(["tools/call": call]) { $1 }
        let client = try client(["one", "two"].map { FakeMember($0, results: results) })
        _ = try client.request("resources/list")
        let answers = try ["one", "two"].map { try client.request("tools/call", #""name":"\#($0)__read""#) }
        #expect(answers.map { $0["result"]?["content"]?.elements?.first?["uri"] } == ["x:1", "lodge+two:x:1"])
    }

    @Test("the principal that was seen longest ago makes room for a new one") func bounded() {
        let known = PrincipalResources(capacity: 2)
        func list(_ name: String) { known.with(Principal(name: name)) { _ = $0.resources.list(["x:1"], of: "one") } }
        func owner(_ name: String) -> String? { known.with(Principal(name: name)) { $0.resources.owner(of: "x:1") } }
        for name in ["a", "b"] { list(name) }
        #expect(owner("a") == "one")
        list("c")
        #expect(known.count == 2)
        #expect(owner("a") == "one")
        #expect(owner("b") == nil)
    }

    @Test("a completion goes by its prompt's prefix or its template's owner") func completion() throws {
        var results = Self.lists
        results["resources/templates/list"] = ["resourceTemplates": [["uriTemplate": "t:{id}"]]]
        results["completion/complete"] = ["completion": ["values": []]]
        let (one, two) = (FakeMember("one", results: results), FakeMember("two", results: results))
        let client = try client([one, two])
        for reference in [#""name":"two__ask""#, #""uri":"t:{id}""#, #""uri":"lodge+two:t:{id}""#] {
            let answer = try client.request("completion/complete", #""ref":{\#(reference)}"#)
            #expect(answer["result"] == ["completion": ["values": []]])
        }
        let sent = [one, two].map { $0.received.compactMap { $0.json["params"]?["ref"] } }
        #expect(sent == [[["uri": "t:{id}"]], [["name": "ask"], ["uri": "t:{id}"]]])
        let unknown = try client.request("completion/complete", #""ref":{"uri":"v:{id}"}"#)
        #expect(
            unknown["error"] == ["code": -32602, "message": "unknown resource: v:{id}", "data": ["uri": "v:{id}"]])
    }
}

extension RecordingSink {
    /// The codes of answers whose status the transport takes from them.
    var codes: [Int] {
        answers.compactMap { if case .failed(_, let code) = $0 { code } else { nil } }
    }
}
