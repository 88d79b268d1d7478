// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("Legacy clients asked for what a modern server wants to know")
struct AskingTests {
    private static let declared = #"{"elicitation":{"form":{},"url":{}},"roots":{},"sampling":{}}"#
    private static let form = #"{"method":"elicitation/create","params":{"mode":"form","message":"Who?"}}"#

    private func start(
        audience: Multiplexer.Audience = .everybody, client: String = declared
    ) throws -> MultiplexerHarness {
        try MultiplexerHarness.modern(audience: audience, client: client)
    }

    private func request(_ ticket: String, more: String) -> String {
        ModernServer.request(
            id: ticket, "tools/call",
            ModernServer.meta(capabilities: Self.declared) + #","name":"echo""# + more)
    }

    @Test("the client is asked on its call, and the same request goes again with its answers and the exact state")
    func oneRound() throws {
        for audience in [Multiplexer.Audience.everybody, .session, .call] {
            let harness = try start(audience: audience)
            let sink = RecordingSink()
            try harness.request(Sample.call(id: "\"a\""), sink)
            let first = harness.lastTicket
            harness.takeSent()
            let questions = #"{"who":\#(Self.form),"where":{"method":"roots/list"}}"#
            try harness.serve(ModernServer.asks(id: first, questions, state: #""s\u0041""#))
            let last = Int64(harness.lastTicket) ?? 0
            #expect(
                sink.messages == [
                    #"{"jsonrpc":"2.0","id":\#(last - 1),"method":"elicitation/create","#
                        + #""params":{"mode":"form","message":"Who?"}}"#,
                    #"{"jsonrpc":"2.0","id":\#(last),"method":"roots/list"}"#,
                ])
            try harness.respond(Sample.answer(id: "\(last)", #"{"roots":[]}"#))
            #expect(harness.sent.isEmpty)
            try harness.respond(Sample.answer(id: "\(last - 1)", #"{"action":"accept","content":{"n":1.0}}"#))
            #expect(
                harness.sent == [
                    request(
                        "\(last - 2)",
                        more: #","inputResponses":{"who":{"action":"accept","content":{"n":1.0}},"#
                            + #""where":{"roots":[]}},"requestState":"s\u0041""#)
                ])
            try harness.serve(Sample.answer(id: "\(last - 2)", #"{"resultType":"complete","content":[]}"#))
            #expect(sink.bodies == [Sample.answer(id: "\"a\"")])
            #expect(harness.isQuiet)
        }
    }

    @Test("a visit of a URL gets the id that the legacy era needs")
    func url() throws {
        let harness = try start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        let question = #"{"q":{"method":"elicitation/create","params":{"mode":"url","url":"https://a"}}}"#
        try harness.serve(ModernServer.asks(id: harness.lastTicket, question))
        let id = harness.lastTicket
        #expect(
            sink.messages == [
                #"{"jsonrpc":"2.0","id":\#(id),"method":"elicitation/create","#
                    + #""params":{"mode":"url","url":"https://a","elicitationId":"lodge-\#(id)"}}"#
            ])
    }

    @Test("what the client did not declare ends the call")
    func undeclared() throws {
        let harness = try start(client: #"{"elicitation":{}}"#)
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        try harness.serve(
            ModernServer.asks(id: harness.lastTicket, #"{"q":{"method":"sampling/createMessage","params":{}}}"#))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"#
                    + #""message":"the server asks by 'sampling/createMessage', which the client did not declare"}}"#
            ])
        #expect(sink.messages.isEmpty)
        #expect(harness.isQuiet)
    }

    @Test("only the session that was asked can answer, and only once")
    func otherSession() throws {
        let harness = try start()
        try harness.request(Sample.call(id: "1"), 1, RecordingSink())
        harness.takeSent()
        try harness.serve(ModernServer.asks(id: harness.lastTicket, #"{"q":\#(Self.form)}"#))
        let question = harness.lastTicket
        try harness.respond(Sample.answer(id: question, #"{"action":"accept"}"#), 2)
        #expect(harness.sent.isEmpty)
        try harness.respond(Sample.answer(id: question, #"{"action":"decline"}"#), 1)
        #expect(harness.takeSent().count == 1)
        try harness.respond(Sample.answer(id: question, #"{"action":"accept"}"#), 1)
        #expect(harness.sent.isEmpty)
    }

    @Test("an error is a cancelled form, and ends the call where something else was asked")
    func errors() throws {
        let harness = try start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        harness.takeSent()
        let both = #"{"q":\#(Self.form),"r":{"method":"roots/list"}}"#
        try harness.serve(ModernServer.asks(id: harness.lastTicket, both))
        let roots = Int64(harness.lastTicket) ?? 0
        func error(_ id: Int64) -> String { #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":-1,"message":"no"}}"# }
        try harness.respond(error(roots - 1))
        try harness.respond(Sample.answer(id: "\(roots)", #"{"roots":[]}"#))
        #expect(harness.takeSent().last?.contains(#""q":{"action":"cancel"}"#) == true)
        try harness.serve(ModernServer.asks(id: "\(roots - 2)", both))
        let again = Int64(harness.lastTicket) ?? 0
        try harness.respond(error(again))
        #expect(sink.messages.last == Sample.cancelled("\(again - 1)", reason: "the call has ended"))
        #expect(sink.bodies == [error(1)])
        #expect(harness.sent.isEmpty)
        #expect(harness.isQuiet)
    }

    @Test("a state without questions goes back at once, and not for ever")
    func rounds() throws {
        let harness = try start()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "1"), sink)
        for round in 1...DrivenCall.maximumRounds {
            harness.takeSent()
            try harness.serve(
                Sample.answer(id: harness.lastTicket, #"{"resultType":"input_required","requestState":"\#(round)"}"#))
            #expect(harness.sent == [request(harness.lastTicket, more: #","requestState":"\#(round)""#)])
        }
        try harness.serve(
            Sample.answer(id: harness.lastTicket, #"{"resultType":"input_required","requestState":"x"}"#))
        #expect(
            sink.bodies.first?.contains(
                #""message":"server 'files' answered with more than 16 requests for input""#) == true)
        #expect(harness.isQuiet)
    }

    /// Each way in which a call can end while its client is asked.
    enum Ending: CaseIterable { case cancel, withdraw, session, restart, timeout }

    @Test("however the call ends while its client is asked, nothing of it is left", arguments: Ending.allCases)
    func endings(ending: Ending) throws {
        let harness = try start()
        let sink = RecordingSink()
        let ticket = try harness.request(Sample.call(id: "1"), 1, sink)
        try harness.serve(ModernServer.asks(id: harness.lastTicket, #"{"q":\#(Self.form)}"#))
        let question = harness.lastTicket
        harness.takeSent()
        switch ending {
        case .cancel: try harness.notify(Sample.cancelled("1"), 1)
        case .withdraw: harness.withdraw(ticket)
        case .session: harness.endSession(1)
        case .restart: harness.end()
        case .timeout: harness.advance(by: .seconds(300))
        }
        #expect(harness.isQuiet)
        // The call was not with the server, so there is nothing to cancel there.
        #expect(harness.sent.isEmpty)
        let told = ending == .withdraw ? [] : [Sample.cancelled(question, reason: "the call has ended")]
        #expect(Array(sink.messages.dropFirst()) == told)
        #expect(sink.answers.count == (ending == .withdraw ? 0 : 1))
        if ending == .timeout {
            #expect(
                sink.bodies.first?.contains(
                    #""message":"the client did not answer what server 'files' asked it within 300 s""#) == true)
        }
        try harness.respond(Sample.answer(id: question, #"{"action":"accept"}"#))
        #expect(harness.sent.isEmpty)
    }

    @Test("a client that leaves after a round is told of to the server under the newest ticket")
    func withdrawnLater() throws {
        let harness = try start()
        let ticket = try harness.request(Sample.call(id: "1"), RecordingSink())
        try harness.serve(ModernServer.asks(id: harness.lastTicket, #"{"q":\#(Self.form)}"#))
        let question = Int64(harness.lastTicket) ?? 0
        try harness.respond(Sample.answer(id: "\(question)", #"{"action":"accept"}"#))
        harness.takeSent()
        harness.withdraw(ticket)
        #expect(harness.sent == [Sample.cancelled("\(question - 1)", reason: "the client left")])
        #expect(harness.isQuiet)
    }

    @Test("a call that takes no messages is asked on its session's stream, or waits for one where it has one client")
    func streams() throws {
        let shared = try start()
        let sink = RecordingSink(acceptsStream: false)
        try shared.request(Sample.call(id: "1"), 1, sink)
        try shared.serve(ModernServer.asks(id: shared.lastTicket, #"{"q":\#(Self.form)}"#))
        #expect(sink.bodies.first?.contains("and the client takes no questions now") == true)
        #expect(shared.isQuiet)
        let stream = RecordingStream()
        shared.open(stream, 1)
        try shared.request(Sample.call(id: "2"), 1, sink)
        try shared.serve(ModernServer.asks(id: shared.lastTicket, #"{"q":\#(Self.form)}"#))
        #expect(stream.messages.count == 1)

        let own = try start(audience: .session)
        try own.request(Sample.call(id: "1"), 1, sink)
        try own.serve(ModernServer.asks(id: own.lastTicket, #"{"q":\#(Self.form)}"#))
        let late = RecordingStream()
        own.open(late, 1)
        #expect(late.messages.count == 1)
    }
}
