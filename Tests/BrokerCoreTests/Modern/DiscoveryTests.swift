// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import Testing

@testable import BrokerCore

@Suite("Discovery of a legacy server")
struct DiscoveryTests {
    private func discovery(_ capabilities: String) -> String {
        #"{"jsonrpc":"2.0","id":"d","result":{\#(Modern.complete),"supportedVersions":["2026-07-28"],"#
            + #""capabilities":\#(capabilities),"ttlMs":0,"cacheScope":"private",\#(Modern.serverInfo)}}"#
    }

    @Test("it waits for the server, says what initialize said, and is the same without the server afterwards")
    func client() throws {
        let clients = try ModernClients()
        let held = try clients.send(Modern.request("\"d\"", "server/discover"))
        #expect(held.answers.isEmpty)
        let upstream = try clients.fixture.lastStarted()
        let connection = try upstream.startGeneration(capabilities: #"{"logging":{},"tasks":{},"tools":{}}"#)
        #expect(held.bodies == [discovery(#"{"logging":{},"tools":{}}"#)])
        let again = try clients.send(Modern.request("\"d\"", "server/discover"))
        #expect(again.bodies == held.bodies)
        #expect(connection.sent.count == 2)
        #expect(upstream.inspect { $0.isQuiet })
    }

    @Test("each generation is told as it is")
    func generations() throws {
        let clients = try ModernClients()
        let server = try clients.start()
        server.upstream.generationEnded(Ending(.exited(code: 1)), retry: server.clock.now)
        let held = try clients.send(Modern.request("\"d\"", "server/discover"))
        #expect(held.answers.isEmpty)
        _ = try server.upstream.startGeneration(capabilities: #"{"prompts":{}}"#)
        #expect(held.bodies == [discovery(#"{"prompts":{}}"#)])
    }

    @Test("a shared server declares no log messages, and every request stands alone")
    func shared() throws {
        let fixture = try ServerFixture()
        let server = fixture.sharedServer()
        let connection = try fixture.lastStarted().startGeneration(capabilities: #"{"logging":{},"tools":{}}"#)
        let sink = RecordingSink()
        _ = server.receive(try .of(Modern.request("\"d\"", "server/discover")), sink: sink)
        #expect(sink.bodies == [discovery(#"{"tools":{}}"#)])
        let call = RecordingSink()
        _ = server.receive(
            try .of(Modern.call("1", more: #","io.modelcontextprotocol/logLevel":"debug""#)), sink: call)
        #expect(connection.sent.count == 3)
        try fixture.lastStarted().serve(
            #"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":1}}"#)
        try fixture.lastStarted().serve(Modern.elicit("7"))
        #expect(connection.sent.last?.contains("-32601") == true)
        #expect(call.messages.isEmpty && call.answers.isEmpty)
    }

    @Test("a server that ends fails what waits for it, in this era's words")
    func ended() throws {
        let clients = try ModernClients()
        let sink = try clients.send(Modern.request("\"d\"", "server/discover"))
        try clients.fixture.lastStarted().generationEnded(Ending(.exited(code: 2)), retry: nil)
        #expect(sink.failedWith == -32603)
        #expect(
            sink.error?["data"]
                == [
                    "server": "files", "reason": "exited",
                    "hint": "the call did not reach the server; look at the server's log, then call again",
                    "exitCode": 2,
                ])
    }

    @Test("what a server said before its end is shown to a principal that has it alone, and to nobody else")
    func tail() throws {
        for (principal, isShown) in [(Principal.alice, true), (.anonymous, false)] {
            let clients = try ModernClients()
            let sink = try clients.send(Modern.request("1", "server/discover"), principal)
            try clients.fixture.lastStarted().generationEnded(
                Ending(.exited(code: 2), stderrTail: ["a line"]), retry: nil)
            #expect((sink.error?["data"]?["stderrTail"] != nil) == isShown)
        }
    }
}
