// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("The handshake with a modern server")
struct ChildDiscoveryTests {
    @Test("a generation begins with a discovery, for every audience, and clients are answered from it")
    func discovery() throws {
        for audience in [Multiplexer.Audience.everybody, .session] {
            let harness = MultiplexerHarness(isolation: audience == .session ? .client : .shared) { $0.era = .modern }
            let waiting = RecordingSink()
            try harness.initialize(Sample.initialize(id: "7", version: "2025-06-18"), waiting)
            harness.start()
            #expect(harness.takeSent() == [ModernServer.request(id: "2", "server/discover", ModernServer.own)])
            try harness.serve(ModernServer.discovered(id: "2"))
            #expect(harness.sent.isEmpty)
            #expect(harness.handshakes == [nil])
            #expect(harness.isReady)
            #expect(
                waiting.bodies == [
                    #"{"jsonrpc":"2.0","id":7,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"#
                        + #""serverInfo":{"name":"fake","version":"1"}}}"#
                ])
            let late = RecordingSink()
            try harness.initialize(Sample.initialize(id: "8", version: "1.0"), late)
            #expect(harness.opened.map(\.version) == ["2025-06-18", "2025-11-25"])
            #expect(harness.isQuiet)
        }
    }

    @Test("an error of the server is the reason, and whoever comes next is a new attempt")
    func refused() throws {
        let harness = MultiplexerHarness { $0.era = .modern }
        harness.start()
        let waiting = RecordingSink()
        try harness.initialize(Sample.initialize, waiting)
        try harness.serve(
            #"{"jsonrpc":"2.0","id":1,"error":{"code":-32022,"message":"no","data":{"supported":["2099-01-01"]}}}"#)
        #expect(harness.handshakes == [#"{"code":-32022,"message":"no","data":{"supported":["2099-01-01"]}}"#])
        #expect(waiting.bodies.first?.contains(#""reason":"handshake-failed""#) == true)
        harness.takeSent()
        try harness.initialize(Sample.initialize, RecordingSink())
        #expect(harness.sent == [ModernServer.request(id: harness.lastTicket, "server/discover", ModernServer.own)])
    }

    @Test("the proof that tools can be listed is a modern request")
    func proof() throws {
        let harness = MultiplexerHarness {
            $0.era = .modern
            $0.provesTools = true
        }
        harness.start()
        harness.takeSent()
        try harness.serve(ModernServer.discovered(id: "1"))
        #expect(harness.sent == [ModernServer.request(id: "2", "tools/list", ModernServer.own)])
        #expect(!harness.isReady)
        try harness.serve(Sample.answer(id: "2", #"{"resultType":"complete","tools":[]}"#))
        #expect(harness.isReady)
    }
}
