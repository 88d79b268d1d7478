// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import Testing

@Suite("What a modern server says of itself")
struct DiscoveredServerTests {
    private func server(_ json: String) throws -> DiscoveredServer {
        try DiscoveredServer(try JSONValue.parse(Array(json.utf8)))
    }

    private func text(_ value: JSONValue) -> String { String(decoding: value.serialized, as: UTF8.self) }

    @Test("a legacy client gets it as the result of its initialize")
    func initialization() throws {
        let server = try server(
            #"{"resultType":"complete","supportedVersions":["2026-07-28"],"instructions":"be kind","ttlMs":5,"#
                + #""capabilities":{"tools":{"listChanged":true},"logging":{},"extensions":{"x":{}},"tasks":{}},"#
                + #""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"3","title":"S"}}}"#)
        #expect(
            text(server.initialization(name: "files", withholding: ["logging"]))
                == #"{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true}},"#
                + #""serverInfo":{"name":"s","version":"3","title":"S"},"instructions":"be kind"}"#)
        #expect(server.changingLists == [.tools])
        #expect(!server.tellsOfResources)
    }

    @Test("a server that leaves out what it should say is taken as it is")
    func lenient() throws {
        let server = try server("{}")
        #expect(
            text(server.initialization(name: "files", withholding: []))
                == #"{"protocolVersion":"2025-11-25","capabilities":{},"#
                + #""serverInfo":{"name":"files","version":"unknown"}}"#)
        #expect(
            text(server.discovery(withholding: []))
                == #"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"#
                + #""ttlMs":0,"cacheScope":"private"}"#)
    }

    @Test("a server of other versions only is refused, and they are named")
    func versions() throws {
        let result = try JSONValue.parse(Array(#"{"supportedVersions":["2025-11-25","2099-01-01"]}"#.utf8))
        let problem = #expect(throws: DiscoveredServer.Problem.self) { try DiscoveredServer(result) }
        #expect(problem?.text == "the server speaks 2025-11-25, 2099-01-01, and not 2026-07-28")
        #expect(throws: DiscoveredServer.Problem.noObject) { try DiscoveredServer(.null) }
    }
}
