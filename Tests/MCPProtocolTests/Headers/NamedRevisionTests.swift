// SPDX-License-Identifier: Apache-2.0
import MCPProtocol
import Testing

@Suite("What a version header names")
struct NamedRevisionTests {
    @Test(
        "is a modern revision from the first one on",
        arguments: [
            ("2026-07-28", true), ("2026-07-29", true), ("2030-01-01", true), ("2026-07-27", false),
            ("2025-11-25", false), ("1999-01-01", false), ("v999.0.0", false), ("2026-07-280", false), ("", false),
            ("2026/07/28", false), ("20260-7-28", false), ("२026-07-28", false), ("9999999999", false),
        ])
    func named(value: String, isModern: Bool) {
        #expect(ModernRevision.isNamed(by: value) == isModern)
    }
}
