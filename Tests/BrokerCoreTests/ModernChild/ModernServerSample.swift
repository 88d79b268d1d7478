// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import MCPProtocol

@testable import BrokerCore

/// Messages of and for a modern server.
enum ModernServer {
    /// The metadata of Lodge's own requests.
    static let own = meta(client: #"{"name":"lodge","version":"9.9.9"}"#, capabilities: "{}")
    /// The metadata of requests of the clients in these tests.
    static func meta(
        client: String = #"{"name":"test","version":"1"}"#, capabilities: String = "{}", more: String = ""
    ) -> String {
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#
            + #""io.modelcontextprotocol/clientInfo":\#(client),"#
            + #""io.modelcontextprotocol/clientCapabilities":\#(capabilities)\#(more)}"#
    }

    static func request(id: String, _ method: String, _ params: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(params)}}"#
    }

    static func listen(id: String, _ filter: String) -> String {
        request(id: id, "subscriptions/listen", own + #","notifications":\#(filter)"#)
    }

    static func discovered(id: String, capabilities: String = #"{"tools":{}}"#) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"#
            + #""capabilities":\#(capabilities),"ttlMs":0,"cacheScope":"private","#
            + #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"fake","version":"1"}}}}"#
    }

    static func initialize(id: String = "0", capabilities: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"initialize","params":{"protocolVersion":"2025-11-25","#
            + #""capabilities":\#(capabilities),"clientInfo":{"name":"test","version":"1"}}}"#
    }

    static func asks(id: String, _ questions: String, state: String? = nil) -> String {
        let state = state.map { #","requestState":\#($0)"# } ?? ""
        return #"{"jsonrpc":"2.0","id":\#(id),"result":{"resultType":"input_required","#
            + #""inputRequests":\#(questions)\#(state)}}"#
    }

    static func notice(_ method: String, stream: String, _ more: String = "") -> String {
        #"{"jsonrpc":"2.0","method":"\#(method)","params":{"_meta":"#
            + #"{"io.modelcontextprotocol/subscriptionId":\#(stream)}\#(more)}}"#
    }
}

extension MultiplexerHarness {
    /// A multiplexer whose modern server has been discovered, with one legacy session; the transcript begins after that.
    static func modern(
        audience: Multiplexer.Audience = .everybody, server: String = #"{"tools":{}}"#, client: String = "{}"
    ) throws -> MultiplexerHarness {
        let harness = MultiplexerHarness(isolation: audience == .everybody ? .shared : .client) {
            $0.era = .modern
            $0.audience = audience
        }
        try harness.startModern(server)
        try harness.initialize(ModernServer.initialize(capabilities: client), RecordingSink())
        return harness
    }

    /// Starts a generation of a modern server and answers its discovery.
    func startModern(_ capabilities: String = #"{"tools":{}}"#) throws {
        start()
        try serve(ModernServer.discovered(id: lastTicket, capabilities: capabilities))
        takeSent()
    }
}
