// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeTestSupport
import Testing

extension ServeMessages {
    @Suite("initialize", .timeLimit(.minutes(1))) struct HandshakeTests {
        /// A5
        @Test("a second client gets the cached answer under its own id and another session") func cachedInitialize() async throws {
            try await LodgeProcess.withServe(server: BuiltProducts.everythingServer) { lodge in
                let first = try await lodge.stranger().post(MCPClient.initialize(id: "\"a\""))
                let second = try await lodge.stranger().post(MCPClient.initialize(id: "17"))
                #expect(first.status == 200)
                #expect(second.status == 200)
                #expect(first["Content-Type"] == "application/json")
                #expect(second.text == first.text.replacing("\"id\":\"a\"", with: "\"id\":17"))
                #expect(first["Mcp-Session-Id"] != nil)
                #expect(first["Mcp-Session-Id"] != second["Mcp-Session-Id"])
                let seen = try await lodge.client().call("subscriptions")
                #expect(seen.json?["result"]?["structuredContent"]?["initializeRequests"] == 1)
            }
        }
    }
}
