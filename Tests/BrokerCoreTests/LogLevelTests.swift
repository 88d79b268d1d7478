// SPDX-License-Identifier: Apache-2.0
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("Log levels of a shared server")
struct LogLevelTests {
    @Test("the first level reaches the server")
    func first() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.setLevel(id: "1", "warning"), sink)
        #expect(harness.sent == [Sample.setLevel(id: "2", "warning")])
        try harness.serve(Sample.empty(id: "2"))
        #expect(sink.bodies == [Sample.empty(id: "1")])
        #expect(harness.holdsState(1))
    }

    @Test("a level that is not more verbose than another's is answered here", arguments: ["info", "error"])
    func lessVerbose(level: String) throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.setLevel(id: "1", "info"), 1, RecordingSink())
        try harness.serve(Sample.empty(id: "2"))
        harness.takeSent()
        let sink = RecordingSink()
        try harness.request(Sample.setLevel(id: "7", level), 2, sink)
        #expect(harness.sent.isEmpty)
        #expect(sink.bodies == [Sample.empty(id: "7")])
    }

    @Test("a more verbose level reaches the server")
    func moreVerbose() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.setLevel(id: "1", "error"), 1, RecordingSink())
        try harness.serve(Sample.empty(id: "2"))
        harness.takeSent()
        try harness.request(Sample.setLevel(id: "7", "debug"), 2, RecordingSink())
        #expect(harness.sent == [Sample.setLevel(id: "3", "debug")])
    }

    @Test("a level that the server refused does not count")
    func refused() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.setLevel(id: "1", "debug"), 1, RecordingSink())
        try harness.serve(#"{"jsonrpc":"2.0","id":2,"error":{"code":-32601,"message":"none"}}"#)
        harness.takeSent()
        try harness.request(Sample.setLevel(id: "1", "error"), 2, RecordingSink())
        #expect(harness.sent == [Sample.setLevel(id: "3", "error")])
        #expect(!harness.holdsState(1))
    }

    @Test("the level of a session that ended does not count")
    func sessionEnded() throws {
        let harness = try MultiplexerHarness.ready()
        try harness.request(Sample.setLevel(id: "1", "debug"), 1, RecordingSink())
        try harness.serve(Sample.empty(id: "2"))
        harness.endSession(1)
        harness.takeSent()
        try harness.request(Sample.setLevel(id: "1", "error"), 2, RecordingSink())
        #expect(harness.sent == [Sample.setLevel(id: "3", "error")])
    }

    @Test("a level that is none of the protocol's is passed on and holds nothing")
    func unknown() throws {
        let harness = try MultiplexerHarness.ready()
        let sink = RecordingSink()
        try harness.request(Sample.setLevel(id: "1", "loud"), sink)
        #expect(harness.sent == [Sample.setLevel(id: "2", "loud")])
        try harness.serve(Sample.answer(id: "2", #"{"tools":[{"name":"x"}]}"#))
        #expect(sink.bodies == [Sample.answer(id: "1", #"{"tools":[{"name":"x"}]}"#)])
        #expect(!harness.holdsState(1))
    }

    @Test("levels are in the order of RFC 5424")
    func order() {
        #expect(LogLevel.allCases.sorted() == LogLevel.allCases)
        #expect(LogLevel.debug < .emergency)
    }
}
