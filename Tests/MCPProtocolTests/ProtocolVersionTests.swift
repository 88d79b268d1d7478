import MCPProtocol
// SPDX-License-Identifier: Apache-2.0
import Testing

@Suite("Protocol versions")
struct ProtocolVersionTests {
    @Test(
        "a client gets its own version where the server's is not older, else the server's",
        arguments: [
            ("2024-11-05", "2025-11-25", "2024-11-05"), ("2025-03-26", "2025-11-25", "2025-03-26"),
            ("2025-06-18", "2025-06-18", "2025-06-18"), ("2025-11-25", "2025-06-18", "2025-06-18"),
            ("2025-11-25", "2024-11-05", "2024-11-05"), ("2025-11-25", "2025-11-25", "2025-11-25"),
            // Versions that Lodge does not know: the client's is answered with the server's, the server's is ordered.
            ("2026-07-28", "2025-11-25", "2025-11-25"), ("1.0", "2025-03-26", "2025-03-26"),
            ("2025-03-26", "2030-01-01", "2025-03-26"), ("2025-03-26", "2024-01-01", "2024-01-01"),
        ])
    func negotiation(asked: String, server: String, expected: String) {
        #expect(ProtocolVersion.negotiated(asked: asked, server: server) == expected)
    }

    @Test("the revisions are in order, and the last one is what Lodge asks for")
    func order() {
        #expect(ProtocolVersion.allCases == ProtocolVersion.allCases.sorted())
        #expect(ProtocolVersion.newest == ProtocolVersion.allCases.last)
    }

    @Test("every revision has a place of its own in a session id", arguments: ProtocolVersion.allCases)
    func wireIndex(version: ProtocolVersion) {
        #expect(ProtocolVersion(wireIndex: version.wireIndex) == version)
    }

    @Test("an index beyond the known revisions is no revision")
    func unknownIndex() {
        #expect(ProtocolVersion(wireIndex: 4) == nil)
    }
}
