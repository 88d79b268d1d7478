// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Testing

@testable import BrokerCore

@Suite("Aggregate: joined lists") struct AggregateListTests {
    private func entries(_ json: String...) -> [[UInt8]] { json.map { Array($0.utf8) } }

    private func text(_ entries: [[UInt8]]) -> [String] { entries.map { String(decoding: $0, as: UTF8.self) } }

    @Test("a tool's name gets its server's prefix, and every other byte stays as it was written")
    func toolNames() {
        let parts = [
            ListPart(
                server: "files", entries: entries(#"{ "x":[1.0e3],"name" : "read\u005fit","_meta":{"name":"n"} }"#)),
            ListPart(server: "down", entries: nil),
            ListPart(server: "notes", entries: entries(#"{"name":"read"}"#, #"{"name":"read"}"#)),
        ]
        #expect(
            text(ListMerge.named(parts, .tools)) == [
                #"{ "x":[1.0e3],"name" : "files__read\u005fit","_meta":{"name":"n"} }"#, #"{"name":"notes__read"}"#,
                #"{"name":"notes__read"}"#,
            ])
    }

    @Test("an entry whose name cannot be told for certain is left out")
    func nameless() {
        let odd = entries(#"{"title":"t"}"#, #"{"name":7}"#, #"{"name":"a","name":"b"}"#, "[]", "3", #"{"name":"ok"}"#)
        #expect(text(ListMerge.named([ListPart(server: "s", entries: odd)], .prompts)) == [#"{"name":"s__ok"}"#])
    }

    @Test("the first server that lists a resource keeps its URI, the others have it under a prefix")
    func clash() {
        var owners = ResourceOwners()
        let parts = [
            ListPart(server: "a", entries: entries(#"{"uri":"x:1","name":"one"}"#, #"{"uri":"x:2"}"#)),
            ListPart(server: "b", entries: entries(#"{"uri":"x:\u0031","name":"two"}"#, #"{"uri":"x:3"}"#)),
        ]
        let joined = [
            #"{"uri":"x:1","name":"one"}"#, #"{"uri":"x:2"}"#, #"{"uri":"lodge+b:x:\u0031","name":"two"}"#,
            #"{"uri":"x:3"}"#,
        ]
        #expect(text(ListMerge.owned(parts, .resources, &owners)) == joined)
        #expect(text(ListMerge.owned(parts, .resources, &owners)) == joined)
        #expect(owners.owner(of: "x:1") == "a")
        #expect(owners.owner(of: "x:3") == "b")
        #expect(owners.isPrefixed("x:1", of: "b"))
    }

    @Test("while an owner is down nothing is renamed, and a resource that it gives up is free")
    func ownerDown() {
        var owners = ResourceOwners()
        #expect(owners.list(["x:1", "x:2"], of: "a") == [false, false])
        #expect(owners.list(["x:1"], of: "b") == [true])
        // Server a is down and lists nothing: nobody asks the map for it.
        #expect(owners.list(["x:1"], of: "b") == [true])
        #expect(owners.list(["x:2"], of: "a") == [false])
        #expect(owners.owner(of: "x:1") == nil)
        // What a client has seen under the prefix keeps it.
        #expect(owners.list(["x:1"], of: "b") == [true])
        #expect(owners.list(["x:1"], of: "c") == [false])
        owners.forget("a")
        #expect(owners.owner(of: "x:2") == nil)
    }

    @Test("templates are owned as resources are")
    func templates() {
        var owners = ResourceOwners()
        let parts = ["a", "b"].map { ListPart(server: $0, entries: entries(#"{"uriTemplate":"x:{id}"}"#)) }
        #expect(
            text(ListMerge.owned(parts, .templates, &owners)) == [
                #"{"uriTemplate":"x:{id}"}"#, #"{"uriTemplate":"lodge+b:x:{id}"}"#,
            ])
    }

    @Test("an answer is one JSON-RPC result with the id of its call, without cursor and without _meta")
    func answer() throws {
        let answer = ListMerge.answer(id: RawID(string: "q"), entries(#"{"name":"a"}"#, #"{"name":"b"}"#), .tools)
        #expect(answer.text == #"{"jsonrpc":"2.0","id":"q","result":{"tools":[{"name":"a"},{"name":"b"}]}}"#)
        #expect(
            ListMerge.answer(id: RawID(1), [], .templates).text
                == #"{"jsonrpc":"2.0","id":1,"result":{"resourceTemplates":[]}}"#)
    }

    @Test("a page keeps its entries and its cursor as they were written")
    func page() throws {
        let bytes = MessageBytes(
            bytes: Array(
                #"{"jsonrpc":"2.0","id":1,"result":{"tools":[ {"name":"a"} , {"name":"b"}],"nextCursor":"p\u002f2"}}"#
                    .utf8))
        let page = try #require(ListPage(bytes, of: .tools))
        #expect(text(page.entries) == [#"{"name":"a"}"#, #"{"name":"b"}"#])
        #expect(page.next.map { String(decoding: $0, as: UTF8.self) } == #""p\u002f2""#)
        let error = MessageBytes(bytes: Array(#"{"id":1,"error":{"code":-32601,"message":"no"}}"#.utf8))
        #expect(ListPage(error, of: .tools) == nil)
        #expect(ListPage.isUnknownMethod(error))
        #expect(!ListPage.isUnknownMethod(bytes))
    }

    static let fitting: [(template: String, fits: [String], doesNot: [String])] = [
        (
            "test://template/{id}/data", ["test://template/7/data"],
            ["test://template//data", "test://template/a/b/data"]
        ),
        ("file:///{+path}", ["file:///", "file:///a/b?c"], ["file://", "http:///a"]),
        ("x:{a}{?q,r}", ["x:1", "x:1?q=2"], ["x:", "y:1"]),
        ("x:{a}-{b}", ["x:1-2", "x:1-2-3"], ["x:1", "x:-1"]),
        ("x:{open", ["x:{open"], ["x:open"]),
    ]

    @Test("a URI fits a template that it could have come from", arguments: fitting)
    func template(template: String, fits: [String], doesNot: [String]) {
        for uri in fits { #expect(URITemplate(template).fits(uri), "\(uri)") }
        for uri in doesNot { #expect(!URITemplate(template).fits(uri), "\(uri)") }
    }
}

@Suite("Aggregate: names and ids") struct AggregateNameTests {
    @Test("a prefix goes from a message in place, and the envelope stays true")
    func dropping() throws {
        let message = try ClientMessage.of(
            #"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"files__re\"ad","_meta":{"progressToken":5}},"id":"x"}"#
        )
        let buffer = message.bytes
        let raw = try #require(message.envelope.name)
        let found = JSONString.contents(of: raw, in: buffer.readableBytesUInt8Span).flatMap {
            MemberPrefix.server(in: buffer.readableBytesUInt8Span, contents: $0)
        }
        let server = try #require(found)
        let shortened = message.dropping(server.count + 2, of: raw, session: "s")
        let bytes = shortened.bytes
        let scanned = try MessageScanner.scan(bytes.readableBytesUInt8Span)
        #expect(scanned == shortened.envelope)
        let name = scanned.string(scanned.name, in: bytes.readableBytesUInt8Span)
        #expect(name == #"re"ad"#)
        let expected =
            #"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"re\"ad","_meta":{"progressToken":5}},"id":"x"}"#
        let (left, right) = (
            try JSONValue.parse(bytes.readableBytesUInt8Span), try JSONValue.parse(Array(expected.utf8))
        )
        #expect(left == right)
        #expect(shortened.session == "s")
    }

    static let names: [(written: String, server: String?)] = [
        ("a__b", "a"), ("a___b", "a"), ("a__", "a"), ("__b", nil), ("a_b", nil), ("a", nil), ("", nil), ("_", nil),
        (#"a\u005f_b"#, nil), ("a__b__c", "a"),
    ]

    @Test("the server of a name ends at the first two underscores", arguments: names)
    func server(written: String, server: String?) throws {
        let bytes = Array(written.utf8)
        let range = MemberPrefix.server(in: bytes.span, contents: 0..<bytes.count)
        #expect(range.map { String(decoding: bytes[$0], as: UTF8.self) } == server)
    }

    @Test("names and URIs come apart at their marks")
    func split() {
        #expect(MemberPrefix.split(name: "a__b__c").map { [$0.server, $0.name] } == ["a", "b__c"])
        #expect(MemberPrefix.split(name: "plain") == nil)
        #expect(MemberPrefix.split(uri: "lodge+a:file:///x").map { [$0.server, $0.uri] } == ["a", "file:///x"])
        #expect(MemberPrefix.split(uri: "file:///lodge+a:") == nil)
        #expect(MemberPrefix.split(uri: "lodge+a") == nil)
    }

    @Test("requests of two members under one id get two ids, and each answer finds its own")
    func asked() {
        var asked = AskedRequests()
        let one = AskedRequests.Request(member: "a", id: RawID(1), token: RawID(9))
        let two = AskedRequests.Request(member: "b", id: RawID(1), token: nil)
        let (first, second) = (asked.add(one), asked.add(two))
        #expect(first != second)
        #expect(asked.request(first)?.token == RawID(9))
        #expect(asked.withdraw(RawID(1), of: "b") == second)
        #expect(asked.take(second) == nil)
        #expect(asked.take(first) == one)
        #expect(asked.take(first) == nil)
        #expect(asked.isEmpty)
    }

    @Test("requests that nobody answers are bounded: the oldest makes room")
    func askedBound() {
        var asked = AskedRequests()
        let first = asked.add(.init(member: "a", id: RawID(0), token: nil))
        for number in 1...Int64(AskedRequests.capacity) {
            _ = asked.add(.init(member: "a", id: RawID(number), token: nil))
        }
        #expect(asked.take(first) == nil)
        #expect(asked.withdraw(RawID(1), of: "a") != nil)
        asked.removeAll(of: "a")
        #expect(asked.isEmpty)
    }

    @Test("capabilities are the union of what members have, without tasks; instructions stand under their names")
    func greeting() {
        let greeting = AggregateGreeting(members: [
            (
                "a",
                MemberGreeting(
                    capabilities: ["tools": [:], "tasks": [:], "experimental": ["x": 1]], instructions: "Do.")
            ),
            ("b", MemberGreeting(capabilities: ["logging": [:], "experimental": ["x": 2, "y": 3]])),
            (
                "c",
                MemberGreeting(
                    capabilities: ["resources": ["subscribe": true], "completions": [:], "own": [:]],
                    instructions: "Do not.")
            ),
        ])
        #expect(
            greeting.capabilities == [
                "tools": ["listChanged": true], "resources": ["listChanged": true, "subscribe": true], "logging": [:],
                "completions": [:], "experimental": ["x": 1, "y": 3],
            ])
        #expect(greeting.instructions == "a:\nDo.\n\nc:\nDo not.")
        #expect(greeting.announced == ["tools", "resources"])
    }
}

@Suite("Aggregate: resources in answers") struct ResourceNamesTests {
    private func prefixed(_ result: String) -> String {
        let message = MessageBytes(bytes: Array(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#.utf8))
        return ResourceNames(message).prefixed("b") { $0 == "x:1" }.text
    }

    private func answer(_ result: String) -> String { #"{"jsonrpc":"2.0","id":1,"result":\#(result)}"# }

    @Test("links, embedded resources and contents get the prefix; texts and others stay as they were")
    func places() {
        #expect(
            prefixed(
                #"{"content":[{"type":"resource_link","uri":"x:1"},{"type":"text","text":"x:1"},{"resource":{"uri": "x:\u0031","text":"t"}},{"uri":"x:2"}]}"#
            )
                == answer(
                    #"{"content":[{"type":"resource_link","uri":"lodge+b:x:1"},{"type":"text","text":"x:1"},{"resource":{"uri": "lodge+b:x:\u0031","text":"t"}},{"uri":"x:2"}]}"#
                ))
        #expect(
            prefixed(#"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"x:1"}}}]}"#)
                == answer(
                    #"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"lodge+b:x:1"}}}]}"#))
        #expect(
            prefixed(#"{"contents":[{"uri":"x:1"},{"uri":"x:2"}]}"#)
                == answer(#"{"contents":[{"uri":"lodge+b:x:1"},{"uri":"x:2"}]}"#))
    }

    @Test("an answer without any stays the same bytes")
    func nothing() {
        for result in [#"{"content":[]}"#, #"{"content":"x:1"}"#, "{}", "[]", #"{"structuredContent":{"uri":"x:1"}}"#] {
            #expect(prefixed(result) == answer(result))
        }
    }
}
