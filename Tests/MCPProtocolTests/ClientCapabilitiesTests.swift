// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("Capabilities of clients")
struct ClientCapabilitiesTests {
    @Test(
        "what was declared is read, and nothing else",
        arguments: [
            ("{}", []), (#"{"sampling":{}}"#, .sampling), (#"{"sampling":true}"#, []),
            (#"{"sampling":{"tools":{}}}"#, [.sampling, .samplingTools]), (#"{"elicitation":{}}"#, .elicitationForm),
            (#"{"elicitation":{"url":{}}}"#, .elicitationURL),
            (#"{"elicitation":{"url":{},"form":{}}}"#, [.elicitationURL, .elicitationForm]),
            (#"{"elicitation":null,"roots":[]}"#, []), (#"{"roots":{"listChanged":true}}"#, .roots),
            (#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#, .tasks),
        ] as [(String, ClientCapabilities)])
    func read(written: String, expected: ClientCapabilities) throws {
        #expect(ClientCapabilities(try .parse(Array(written.utf8))) == expected)
    }

    @Test("every set reads back from its own object")
    func roundTrip() {
        for raw in UInt8(0)..<64 {
            let set = ClientCapabilities(rawValue: raw)
            // Tools are a part of sampling.
            let expected = set.contains(.samplingTools) ? set.union(.sampling) : set
            #expect(ClientCapabilities(set.object) == expected)
        }
    }

    @Test("a request of a server needs what stands for it")
    func needs() {
        #expect(ClientCapabilities(neededFor: "roots/list", params: nil) == .roots)
        #expect(ClientCapabilities(neededFor: "sampling/createMessage", params: [:]) == .sampling)
        #expect(
            ClientCapabilities(neededFor: "sampling/createMessage", params: ["toolChoice": [:]])
                == [.sampling, .samplingTools])
        #expect(ClientCapabilities(neededFor: "elicitation/create", params: ["mode": "form"]) == .elicitationForm)
        #expect(ClientCapabilities(neededFor: "elicitation/create", params: ["mode": "url"]) == .elicitationURL)
        #expect(ClientCapabilities(neededFor: "elicitation/create", params: nil) == .elicitationForm)
        #expect(ClientCapabilities(neededFor: "ping", params: nil) == nil)
    }
}
