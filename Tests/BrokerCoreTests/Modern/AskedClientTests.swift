// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Which modern client a legacy server's request is put to")
struct AskedClientTests {
    private let clients: ModernClients

    init() throws { clients = try ModernClients() }

    private func refusal(_ id: String, _ code: Int, _ text: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":"\#(text)"}}"#
    }

    private let undeclared = "the client did not declare what 'elicitation/create' needs"

    @Test("the newest call that can be asked is asked")
    func newestCapable() throws {
        let server = try clients.start()
        let older = try clients.send(Modern.call("1"))
        let newer = try clients.send(Modern.call("2"))
        let incapable = try clients.send(Modern.call("3", capabilities: "{}"))
        try server.ask(Modern.elicit("7"))
        #expect(newer.answers.count == 1)
        #expect(older.answers.isEmpty && incapable.answers.isEmpty)
    }

    @Test("without a call in flight the server is refused")
    func noCall() throws {
        let server = try clients.start()
        try clients.send(Modern.request("1", "tools/list", capabilities: Modern.everything))
        try server.ask(Modern.elicit("7"))
        #expect(
            server.connection.sent.last == refusal("7", -32603, "no call is in flight that this could belong to"))
    }

    @Test("a request that is none of a client's is refused, and a ping is answered")
    func others() throws {
        let server = try clients.start()
        let sink = try clients.send(Modern.call("1"))
        try server.serve(#"{"jsonrpc":"2.0","id":7,"method":"odd/one"}"#)
        #expect(server.connection.sent.last == refusal("7", -32601, "method 'odd/one' is not one of a client"))
        try server.serve(#"{"jsonrpc":"2.0","id":8,"method":"ping"}"#)
        #expect(server.connection.sent.last == Sample.empty(id: "8"))
        #expect(sink.messages.isEmpty && sink.answers.isEmpty)
    }

    @Test("two calls of nameless clients may be two clients', so neither is asked")
    func anonymous() throws {
        let server = try clients.start(.anonymous)
        let first = try clients.send(Modern.call("1"), .anonymous)
        let second = try clients.send(Modern.call("2"), .anonymous)
        try server.ask(Modern.elicit("8"))
        #expect(first.answers.isEmpty && second.answers.isEmpty)
        #expect(
            server.connection.sent.last
                == refusal(
                    "8", -32603,
                    "calls of several clients may be in flight, so nobody can be asked; give each client a token"))
    }

    @Test("a nameless client that never comes back does not keep others from being asked")
    func anonymousBesideWaiting() throws {
        let server = try clients.start(.anonymous)
        let first = try clients.send(Modern.call("1"), .anonymous)
        try server.ask(Modern.elicit("7"))
        #expect(first.answers.count == 1)
        let second = try clients.send(Modern.call("2"), .anonymous)
        try server.ask(Modern.elicit("8"))
        #expect(second.result?["resultType"] == "input_required")
        #expect(first.answers.count == 1)
    }

    @Test("what the client did not declare is refused, and named where the call fails for it")
    func undeclaredFails() throws {
        let server = try clients.start()
        for answer in [#""result":{"content":[],"isError":true}"#, #""error":{"code":-32000,"message":"no"}"#] {
            let sink = try clients.send(Modern.call("1", capabilities: #"{"sampling":{}}"#))
            let ticket = server.ticket
            try server.ask(Modern.elicit("7"))
            #expect(server.connection.sent.last == refusal("7", -32601, undeclared))
            try server.serve(#"{"jsonrpc":"2.0","id":\#(ticket),\#(answer)}"#)
            #expect(sink.failedWith == -32021)
            #expect(sink.error?["data"] == ["requiredCapabilities": ["elicitation": ["form": [:]]]])
        }
        #expect(server.isQuiet)
    }

    @Test("a call that succeeds without it passes")
    func undeclaredPasses() throws {
        let server = try clients.start()
        let sink = try clients.send(Modern.call("1", capabilities: "{}"))
        let ticket = server.ticket
        try server.ask(Modern.elicit("7"))
        try server.serve(Sample.answer(id: ticket))
        #expect(sink.result?["resultType"] == "complete")
        #expect(sink.failedWith == nil)
    }

    @Test("what was not declared is named also where the call failed while its client was away")
    func undeclaredWhileAway() throws {
        let server = try clients.start()
        let sink = try clients.send(Modern.call("1", capabilities: #"{"elicitation":{}}"#))
        let ticket = server.ticket
        try server.ask(Modern.elicit("7"))
        try server.serve(#"{"jsonrpc":"2.0","id":8,"method":"roots/list"}"#)
        try server.serve(Sample.answer(id: ticket, #"{"content":[],"isError":true}"#))
        let retry = try clients.send(
            Modern.call("2", capabilities: #"{"elicitation":{}}"#, state: sink.requestState, responses: #"{"7":{}}"#))
        #expect(retry.error?["data"] == ["requiredCapabilities": ["roots": [:]]])
    }

    @Test("sampling with tools is asked of clients only that declared it")
    func samplingTools() throws {
        let server = try clients.start()
        let question =
            #"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"messages":[],"tools":[]}}"#
        let plain = try clients.send(Modern.call("1", capabilities: #"{"sampling":{}}"#))
        try server.ask(question)
        #expect(plain.answers.isEmpty)
        let able = try clients.send(Modern.call("2", capabilities: #"{"sampling":{"tools":{}}}"#))
        try server.ask(question)
        #expect(able.result?["inputRequests"]?["7"]?["method"] == "sampling/createMessage")
    }

    @Test("a state is good for its principal, request and upstream only")
    func foreignStates() throws {
        let server = try clients.start()
        let sink = try clients.send(Modern.call("1"))
        try server.ask(Modern.elicit("7"))
        let state = try #require(sink.requestState)
        let other = try clients.start(.bob)
        for (request, principal) in [
            (Modern.call("2", state: state, responses: "{}"), Principal.bob),
            (Modern.call("2", tool: "other", state: state), .alice),
            (Modern.call("2", arguments: #"{"a":1}"#, state: state), .alice),
            (Modern.call("2", state: String(state.dropLast())), .alice), (Modern.call("2", state: ""), .alice),
        ] {
            #expect(try clients.send(request, principal).bodies == [#"{"jsonrpc":"2.0","id":2,\#(Modern.stale)}"#])
        }
        #expect(!other.connection.sent.contains { $0.contains("tools/call") })
        #expect(try clients.send(Modern.call("3", state: state, responses: #"{"7":{}}"#)).answers.isEmpty)
    }

    @Test("a state of an upstream that is gone does not go on with a call of the next one")
    func upstreamOfBefore() throws {
        let first = try clients.start()
        let sink = try clients.send(Modern.call("1"))
        let ticket = first.ticket
        try first.ask(Modern.elicit("7"))
        let state = try #require(sink.requestState)
        _ = try clients.send(Modern.call("2", state: state, responses: #"{"7":{}}"#))
        try first.serve(Sample.answer(id: ticket))
        clients.fixture.clock.advance(by: .seconds(600))
        clients.server.sweep()
        #expect(clients.fixture.supervisor.hasStopped(first.upstream))
        let second = try clients.start()
        let next = try clients.send(Modern.call("1"))
        #expect(second.ticket == ticket)
        try second.ask(Modern.elicit("7"))
        #expect(next.requestState != nil)
        let replay = try clients.send(Modern.call("2", state: state, responses: #"{"7":{"replayed":true}}"#))
        #expect(replay.bodies == [#"{"jsonrpc":"2.0","id":2,\#(Modern.stale)}"#])
        #expect(!second.connection.sent.contains { $0.contains("replayed") })
    }
}
