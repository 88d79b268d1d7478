// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@testable import BrokerCore

@Suite("Questions of a modern server for modern clients")
struct ModernQuestionsTests {
    private func server() throws -> (ServerFixture, SharedServer, FakeConnection) {
        let fixture = try ServerFixture()
        let server = fixture.sharedServer { $0.multiplexer.era = .modern }
        let upstream = try fixture.lastStarted()
        let connection = FakeConnection()
        upstream.generationStarted(connection, timer: FakeTimer())
        try upstream.serve(ModernServer.discovered(id: "1"))
        return (fixture, server, connection)
    }

    private func call(capabilities: String, state: String? = nil, more: String = "") -> String {
        let state = state.map { #","requestState":"\#($0)""# } ?? ""
        return ModernServer.request(
            id: "\"m\"", "tools/call",
            ModernServer.meta(capabilities: capabilities) + #","name":"echo""# + more + state)
    }

    private let question = #"{"q":{"method":"elicitation/create","params":{"message":"Who?"}}}"#

    @Test("the questions pass, the state is sealed on the way out and the server's own again on the way back")
    func sealed() throws {
        let (fixture, server, connection) = try server()
        let upstream = try fixture.lastStarted()
        let sink = RecordingSink()
        let declared = #"{"elicitation":{}}"#
        _ = server.receive(try .of(call(capabilities: declared)), sink: sink)
        #expect(connection.sent.last == call(capabilities: declared).replacing("\"m\"", with: "2"))
        try upstream.serve(ModernServer.asks(id: "2", question, state: #""inner""#))
        let body = try #require(sink.bodies.first)
        let result = try JSONValue.parse(Array(body.utf8))["result"]
        let state = try #require(result?["requestState"]?.string)
        #expect(state != "inner")
        #expect(result?["inputRequests"]?["q"]?["params"]?["message"] == "Who?")
        let answers = #","inputResponses":{"q":{"action":"decline"}}"#
        _ = server.receive(try .of(call(capabilities: declared, state: state, more: answers)), sink: sink)
        #expect(
            connection.sent.last
                == call(capabilities: declared, state: "inner", more: answers).replacing("\"m\"", with: "3"))
        let sent = connection.sent.count
        _ = server.receive(try .of(call(capabilities: declared, state: "inner", more: answers)), sink: sink)
        #expect(connection.sent.count == sent)
        #expect(sink.bodies.last?.contains("the requestState is invalid or has expired") == true)
    }

    @Test("what the client did not declare is not asked")
    func undeclared() throws {
        let (fixture, server, _) = try server()
        let upstream = try fixture.lastStarted()
        let sink = RecordingSink()
        _ = server.receive(try .of(call(capabilities: "{}")), sink: sink)
        try upstream.serve(ModernServer.asks(id: "2", question))
        #expect(
            sink.bodies == [
                #"{"jsonrpc":"2.0","id":"m","error":{"code":-32603,"#
                    + #""message":"the server asks by 'elicitation/create', which the client did not declare"}}"#
            ])
    }
}

extension String {
    fileprivate func replacing(_ part: String, with other: String) -> String {
        guard let range = firstRange(of: part) else { return self }
        return String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
