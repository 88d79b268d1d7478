// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BrokerCore

@Suite("The proof that a server's tools work")
struct ProofOfToolsTests {
    private let declaresTools = #"{"tools":{}}"#
    private let refusal = #"{"jsonrpc":"2.0","id":2,"error":{"code":-32603,"message":"bad key"}}"#

    private func starting(capabilities: String) throws -> MultiplexerHarness {
        let harness = MultiplexerHarness { $0.provesTools = true }
        harness.start()
        harness.takeSent()
        try harness.serve(Sample.initializeAnswer(id: "1", capabilities: capabilities))
        return harness
    }

    private func listTools(ticket: Int) -> String {
        #"{"jsonrpc":"2.0","id":\#(ticket),"method":"tools/list","params":{}}"#
    }

    @Test("the handshake goes on with a list of tools, and is over with its answer")
    func asks() throws {
        let harness = try starting(capabilities: declaresTools)
        #expect(harness.sent == [Sample.initialized, listTools(ticket: 2)])
        #expect(!harness.isReady)
        #expect(harness.handshakes.isEmpty)
        try harness.serve(Sample.answer(id: "2", #"{"tools":[]}"#))
        #expect(harness.isReady)
        #expect(harness.handshakes == [nil])
    }

    @Test("a server that declares no tools is not asked for them")
    func noTools() throws {
        let harness = try starting(capabilities: "{}")
        #expect(harness.sent == [Sample.initialized])
        #expect(harness.isReady)
    }

    @Test("clients are let in before the proof, their calls wait for it")
    func callsWait() throws {
        let harness = try starting(capabilities: declaresTools)
        let (client, caller) = (RecordingSink(), RecordingSink())
        try harness.initialize(Sample.initialize(id: "1"), client)
        #expect(client.openedSession != nil)
        harness.takeSent()
        try harness.request(Sample.call(id: "7"), caller)
        #expect(harness.sent.isEmpty)
        try harness.serve(Sample.answer(id: "2"))
        #expect(harness.sent == [Sample.call(id: "3")])
    }

    @Test("a failed proof is a failed handshake, and fails the calls that waited for it")
    func failure() throws {
        let harness = try starting(capabilities: declaresTools)
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "7"), sink)
        try harness.serve(refusal)
        #expect(harness.handshakes == [#"{"code":-32603,"message":"bad key"}"#])
        #expect(!harness.isReady)
        #expect(sink.answers.count == 1)
        #expect(harness.isQuiet)
    }

    @Test("a call after a failed proof asks for the proof again, and never initializes twice")
    func retried() throws {
        let harness = try starting(capabilities: declaresTools)
        try harness.serve(refusal)
        harness.takeSent()
        let sink = RecordingSink()
        try harness.request(Sample.call(id: "7"), sink)
        #expect(harness.sent == [listTools(ticket: 4)])
        try harness.serve(Sample.answer(id: "4"))
        #expect(harness.takeSent().last == Sample.call(id: "3"))
    }
}
