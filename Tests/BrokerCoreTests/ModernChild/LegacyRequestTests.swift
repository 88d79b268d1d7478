// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("Legacy clients of a modern server")
struct LegacyRequestTests {
    @Test("a request goes with what its client said of itself, and its answer comes without a type")
    func request() throws {
        let harness = try MultiplexerHarness.modern(client: #"{"sampling":{}}"#)
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "\"a\""), sink)
        let ticket = harness.lastTicket
        #expect(
            harness.sent == [
                ModernServer.request(
                    id: ticket, "tools/call", ModernServer.meta(capabilities: #"{"sampling":{}}"#) + #","name":"echo""#)
            ])
        try harness.serve(Sample.answer(id: ticket, #"{"resultType":"complete","content":[]}"#))
        #expect(sink.bodies == [Sample.answer(id: "\"a\"")])
        #expect(harness.isQuiet)
    }

    @Test("a call that waited for the server goes with the metadata too")
    func held() throws {
        let harness = MultiplexerHarness { $0.era = .modern }
        try harness.request(#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, RecordingSink())
        try harness.startModernKeepingSent()
        #expect(
            harness.sent.last
                == #"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"# + ModernServer.own + "}}")
    }

    @Test("an answer of a type that nobody asked for fails the call")
    func unknownType() throws {
        let harness = try MultiplexerHarness.modern()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(Sample.answer(id: harness.lastTicket, #"{"resultType":"task","taskId":"t"}"#))
        #expect(
            sink.bodies.first?.contains(
                #""message":"server 'files' answered with a result of type 'task', which nobody asked for""#) == true)
        #expect(harness.isQuiet)
    }

    @Test(
        "the level of a session stays here and goes with each of its requests, but not where clients share the server")
    func level() throws {
        for audience in [Multiplexer.Audience.everybody, .session] {
            let harness = try MultiplexerHarness.modern(audience: audience)
            let (set, sink) = (RecordingSink(), RecordingSink())
            try harness.request(Sample.setLevel(id: "1", "warning"), set)
            #expect(set.bodies == [Sample.empty(id: "1")])
            #expect(harness.sent.isEmpty)
            try harness.request(Sample.call(id: "2"), sink)
            let more = audience == .session ? #","io.modelcontextprotocol/logLevel":"warning""# : ""
            #expect(
                harness.sent == [
                    ModernServer.request(
                        id: harness.lastTicket, "tools/call", ModernServer.meta(more: more) + #","name":"echo""#)
                ])
            let log = #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":"x"}}"#
            try harness.serve(log)
            #expect(sink.messages == (audience == .session ? [log] : []))
        }
    }

    @Test("a level that does not exist is refused by name")
    func wrongLevel() throws {
        let harness = try MultiplexerHarness.modern()
        let sink = RecordingSink()
        try harness.request(Sample.setLevel(id: "1", "loud"), sink)
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"params.level must be one of "#
                    + #"debug, info, notice, warning, error, critical, alert, emergency"}}"#
            ])
    }

    @Test(
        "what the server has no word for never reaches it",
        arguments: [
            (
                #""tasks/get","params":{"taskId":"t"}"#, -32601,
                "tasks of 2025-11-25 are not translated for a server of 2026-07-28; call without one"
            ),
            (
                #""tools/call","params":{"name":"x","task":{}}"#, -32601,
                "tasks of 2025-11-25 are not translated for a server of 2026-07-28; call without one"
            ),
            (
                #""subscriptions/listen","params":{}"#, -32601,
                "a session has no such method; it is one of 2026-07-28"
            ),
            (#""tools/list","params":[]"#, -32602, "params must be an object"),
            (
                #""tools/call","params":{"name":"x","requestState":"s"}"#, -32602,
                "params.requestState is not a member of this revision; leave it out"
            ),
        ])
    func refused(method: String, code: Int, text: String) throws {
        let harness = try MultiplexerHarness.modern()
        let sink = RecordingSink()
        try harness.request(#"{"jsonrpc":"2.0","id":1,"method":\#(method)}"#, sink)
        #expect(sink.bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":\#(code),"message":"\#(text)"}}"#])
        #expect(harness.sent.isEmpty)
    }

    @Test("notifications of clients are dropped, but for a cancellation, which names the ticket")
    func notifications() throws {
        let harness = try MultiplexerHarness.modern(audience: .session)
        try harness.request(Sample.call(id: "1"), RecordingSink())
        let ticket = harness.lastTicket
        harness.takeSent()
        try harness.notify(Sample.initialized)
        try harness.notify(#"{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}"#)
        try harness.notify(#"{"jsonrpc":"2.0","method":"x/y"}"#)
        #expect(harness.sent.isEmpty)
        try harness.notify(Sample.cancelled("1"))
        #expect(harness.sent == [Sample.cancelled(ticket)])
    }

    @Test("a request of the server gets no answer, and a ping neither")
    func serverRequests() throws {
        let harness = try MultiplexerHarness.modern(audience: .session)
        try harness.serve(#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"method":"roots/list"}"#)
        #expect(harness.sent.isEmpty)
        #expect(harness.logged.count == 2)
    }

    @Test("errors come with codes that a legacy client knows")
    func errors() throws {
        let harness = try MultiplexerHarness.modern()
        let sink = RecordingSink()
        try harness.request(
            #"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a:1"}}"#, sink)
        try harness.serve(
            #"{"jsonrpc":"2.0","id":\#(harness.lastTicket),"error":{"code":-32602,"message":"m","data":{"uri":"a:1"}}}"#
        )
        #expect(
            sink.bodies == [#"{"jsonrpc":"2.0","id":1,"error":{"code":-32002,"message":"m","data":{"uri":"a:1"}}}"#])
    }

    @Test("what a session said of itself is forgotten with it")
    func sessionEnd() throws {
        let harness = try MultiplexerHarness.modern(client: #"{"roots":{}}"#)
        harness.endSession(1)
        try harness.request(Sample.call(id: "1"), RecordingSink())
        #expect(harness.sent.last?.contains(#""name":"lodge""#) == true)
    }
}

extension MultiplexerHarness {
    fileprivate func startModernKeepingSent() throws {
        start()
        try serve(ModernServer.discovered(id: lastTicket))
    }
}
