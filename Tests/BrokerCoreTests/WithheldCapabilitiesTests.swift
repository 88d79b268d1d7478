// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import Testing

@testable import BrokerCore

/// MCP 2025-11-25, lifecycle: a client uses what was negotiated, so it must not be told of what it cannot get.
@Suite("Capabilities that an isolation cannot give")
struct WithheldCapabilitiesTests {
    private func answer(_ isolation: Isolation, _ result: String, version: String = "2025-11-25") throws -> String? {
        let harness = MultiplexerHarness(isolation: isolation)
        harness.start()
        try harness.serve(Sample.answer(id: "1", result))
        try harness.initialize(Sample.initialize(id: "0", version: version), RecordingSink())
        return harness.opened.first?.answer
    }

    @Test(
        "are left out of the answer to initialize, and every other byte stays",
        arguments: [
            (Isolation.shared, #"{"tools": { } ,"x":1.0}"#), (.pool, #"{"tools": { } ,"x":1.0}"#),
            (.call, #"{"tools": { } ,"logging":{},"x":1.0}"#),
        ])
    func withheld(_ isolation: Isolation, _ kept: String) throws {
        let all = #"{"tools": { } ,"logging":{},"tasks":{"list":{}},"x":1.0}"#
        func result(_ capabilities: String, _ version: String) -> String {
            #"{"capabilities":\#(capabilities),"protocolVersion" : "\#(version)","serverInfo":{}, "é":"\u00e9"}"#
        }
        let answer = try answer(isolation, result(all, "2025-11-25"), version: "2025-06-18")
        let expected = kept.replacing(" ,", with: ",")
        #expect(answer == Sample.answer(id: "0", result(expected, "2025-06-18")))
    }

    @Test("a version in front of them is put right as well")
    func versionInFront() throws {
        let result = #"{"protocolVersion":"2025-11-25","capabilities":{"logging":{}},"serverInfo":{}}"#
        let answer = try answer(.shared, result, version: "2025-06-18")
        #expect(
            answer
                == Sample.answer(id: "0", #"{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{}}"#))
    }

    @Test("an answer without any stays as it is, white space too")
    func untouched() throws {
        let result = #"{"protocolVersion":"2025-11-25","capabilities":{ "tools":{} },"serverInfo":{}}"#
        #expect(try answer(.shared, result) == Sample.answer(id: "0", result))
    }
}
