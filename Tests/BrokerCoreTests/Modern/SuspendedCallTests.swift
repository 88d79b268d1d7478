// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Calls that wait for their modern client")
struct SuspendedCallTests {
    private let clients: ModernClients
    private let server: ModernUpstream

    init() throws {
        clients = try ModernClients()
        server = try clients.start()
    }

    /// A call that its server asked about; the ticket of the call, and what the client was told.
    private func suspended(
        _ questions: String..., more: String = ""
    ) throws -> (ticket: String, sink: RecordingSink, state: String) {
        let sink = try clients.send(Modern.call("1", more: more))
        let ticket = server.ticket
        for question in questions { try server.serve(question) }
        server.advance(by: .milliseconds(50))
        return (ticket, sink, try #require(sink.requestState))
    }

    @Test("questions are collected, told once, answered by a retry, and the answer goes to the retry")
    func oneRound() throws {
        let sink = try clients.send(Modern.call("1"))
        let ticket = server.ticket
        try server.serve(Modern.elicit("7"))
        server.advance(by: .milliseconds(20))
        try server.serve(Modern.elicit("\"7\""))
        #expect(sink.answers.isEmpty)
        server.advance(by: .milliseconds(30))
        let result = try #require(sink.result)
        #expect(result["resultType"]?.string == "input_required")
        #expect(
            result["inputRequests"]
                == [
                    "7": ["method": "elicitation/create", "params": ["message": "a"]],
                    "7-2": ["method": "elicitation/create", "params": ["message": "b"]],
                ])
        let retry = try clients.send(
            Modern.call(
                "\"x\"", state: sink.requestState,
                responses: #"{"7":{"action":"decline"},"7-2":{"n":1.0},"other":{"no":1}}"#,
                more: #","progressToken":"mine""#))
        #expect(
            server.connection.sent.suffix(2) == [
                #"{"jsonrpc":"2.0","id":7,"result":{"action":"decline"}}"#,
                #"{"jsonrpc":"2.0","id":"7","result":{"n":1.0}}"#,
            ])
        let progress = #""method":"notifications/progress","params":{"progress":1,"progressToken":"#
        try server.serve(#"{"jsonrpc":"2.0",\#(progress)\#(ticket)}}"#)
        #expect(retry.messages == [#"{"jsonrpc":"2.0",\#(progress)"mine"}}"#])
        try server.serve(Sample.answer(id: ticket))
        #expect(
            retry.bodies == [
                #"{"jsonrpc":"2.0","id":"x","result":{\#(Modern.complete),\#(Modern.serverInfo),"content":[]}}"#
            ])
        #expect(sink.answers.count == 1)
        #expect(server.isQuiet)
    }

    @Test("what a retry leaves out is asked for again, and a server may ask in several rounds")
    func rounds() throws {
        let call = try suspended(Modern.elicit("7"), Modern.elicit("8"))
        let partial = try clients.send(Modern.call("2", state: call.state, responses: #"{"8":{"b":1}}"#))
        #expect(server.connection.sent.last == #"{"jsonrpc":"2.0","id":8,"result":{"b":1}}"#)
        #expect(partial.result?["inputRequests"]?.members?.map(\.name) == ["7"])
        let again = try #require(partial.requestState)
        let stale = try clients.send(Modern.call("3", state: call.state, responses: #"{"7":{}}"#))
        #expect(stale.bodies == [#"{"jsonrpc":"2.0","id":3,\#(Modern.stale)}"#])
        #expect(stale.failedWith == -32602)
        let third = try clients.send(Modern.call("4", state: again, responses: #"{"7":{}}"#))
        #expect(third.answers.isEmpty)
        try server.ask(Modern.elicit("9"))
        let next = try #require(third.requestState)
        let last = try clients.send(Modern.call("5", state: next, responses: #"{"9":{}}"#))
        try server.serve(Sample.answer(id: call.ticket))
        #expect(last.answers.count == 1)
        #expect(server.isQuiet)
        let replay = try clients.send(Modern.call("6", state: next, responses: #"{"9":{}}"#))
        #expect(replay.bodies == [#"{"jsonrpc":"2.0","id":6,\#(Modern.stale)}"#])
    }

    @Test("a question that comes while the client is away is asked with the retry")
    func lateQuestion() throws {
        let call = try suspended(Modern.elicit("7"))
        try server.ask(Modern.elicit("8"))
        let retry = try clients.send(Modern.call("2", state: call.state, responses: #"{"7":{}}"#))
        #expect(retry.result?["inputRequests"]?.members?.map(\.name) == ["8"])
    }

    @Test("an answer that comes while the client is away is kept for it")
    func keptAnswer() throws {
        let call = try suspended(Modern.elicit("7"))
        try server.serve(Sample.answer(id: call.ticket))
        #expect(call.sink.answers.count == 1)
        let retry = try clients.send(Modern.call("2", state: call.state, responses: #"{"7":{}}"#))
        #expect(retry.result?["content"] == [])
        #expect(server.isQuiet)
    }

    @Test("an answer that nobody comes back for is freed")
    func keptAnswerExpires() throws {
        let call = try suspended(Modern.elicit("7"))
        try server.serve(Sample.answer(id: call.ticket))
        server.advance(by: .seconds(600))
        #expect(server.isQuiet)
    }

    @Test("a server that ends while the client is away fails the retry with the reason")
    func ended() throws {
        let call = try suspended(Modern.elicit("7"))
        server.upstream.generationEnded(Ending(.exited(code: 3)), retry: server.clock.now.advanced(by: .seconds(1)))
        let retry = try clients.send(Modern.call("2", state: call.state, responses: #"{"7":{}}"#))
        #expect(retry.failedWith == -32603)
        #expect(retry.error?["data"]?["exitCode"] == 3)
        #expect(server.isQuiet)
    }

    @Test("a client that does not come back has its call cancelled after ten minutes")
    func neverBack() throws {
        let call = try suspended(Modern.elicit("7"))
        server.advance(by: .seconds(599))
        #expect(!server.isQuiet)
        server.advance(by: .seconds(1))
        #expect(server.connection.sent.last == Sample.cancelled(call.ticket, reason: "the call timed out"))
        #expect(server.isQuiet)
        #expect(call.sink.answers.count == 1)
    }

    @Test("progress does not shorten the time that a client has")
    func progress() throws {
        let call = try suspended(Modern.elicit("7"), more: #","progressToken":1"#)
        let notice = #""method":"notifications/progress","params":{"progress":1,"progressToken":\#(call.ticket)}"#
        try server.serve(#"{"jsonrpc":"2.0",\#(notice)}"#)
        server.advance(by: .seconds(400))
        let retry = try clients.send(Modern.call("2", state: call.state, responses: #"{"7":{}}"#))
        #expect(retry.answers.isEmpty)
        #expect(server.connection.sent.last == #"{"jsonrpc":"2.0","id":7,"result":{}}"#)
    }

    @Test("the end of an answered exchange gives neither the waiting call up nor its retry")
    func abandonedLate() throws {
        let (sink, ticket) = try clients.open(Modern.call("1"))
        try server.ask(Modern.elicit("7"))
        ticket.abandon()
        #expect(!server.isQuiet)
        let (retry, again) = try clients.open(
            Modern.call("2", state: sink.requestState, responses: #"{"7":{}}"#))
        ticket.abandon()
        #expect(retry.answers.isEmpty)
        #expect(!server.isQuiet)
        again.abandon()
        #expect(server.connection.sent.last?.contains("notifications/cancelled") == true)
        #expect(server.isQuiet)
    }

    @Test("a client that leaves while questions are collected has its call cancelled")
    func leftWhileCollecting() throws {
        let (sink, ticket) = try clients.open(Modern.call("1"))
        try server.serve(Modern.elicit("7"))
        ticket.abandon()
        server.advance(by: .milliseconds(50))
        #expect(sink.answers.isEmpty)
        #expect(server.isQuiet)
    }

    @Test("a question that its server takes back is asked no more, and told to no client")
    func takenBack() throws {
        let sink = try clients.send(Modern.call("1"))
        try server.serve(Modern.elicit("7"))
        try server.serve(Sample.cancelled("7"))
        server.advance(by: .milliseconds(50))
        #expect(sink.messages.isEmpty)
        #expect(sink.answers.isEmpty)
        try server.ask(Modern.elicit("8"))
        #expect(sink.result?["inputRequests"]?.members?.map(\.name) == ["8"])
        try server.serve(Sample.cancelled("8"))
        let retry = try clients.send(Modern.call("2", state: sink.requestState))
        #expect(retry.answers.isEmpty)
        #expect(!server.connection.sent.contains { $0.contains(#""id":8,"result""#) })
    }

    @Test("no more than a thousand calls wait for their clients")
    func capacity() throws {
        for number in 0..<1000 {
            try clients.send(Modern.call("\(number)"))
            try server.ask(Modern.elicit("\(number)"))
        }
        let sink = try clients.send(Modern.call("1000"))
        try server.ask(Modern.elicit("1000"))
        #expect(sink.answers.isEmpty)
        #expect(
            server.connection.sent.last
                == #"{"jsonrpc":"2.0","id":1000,"error":{"code":-32603,"message":"too many calls wait for their clients"}}"#
        )
    }
}
