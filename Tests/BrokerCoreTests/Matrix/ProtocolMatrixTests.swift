// SPDX-License-Identifier: Apache-2.0
import Foundation
import LodgeConfiguration
import Testing

@testable import BrokerCore

/// Every message for every pair of revisions, found out by sending it, and held against the page that is published.
@Suite("The protocol matrix")
struct ProtocolMatrixTests {
    private static let page = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/protocol-matrix.md")

    @Test("docs/protocol-matrix.md says what happens; LODGE_WRITE_MATRIX=1 writes it anew")
    func page() throws {
        let text = try MatrixPage.text()
        if ProcessInfo.processInfo.environment["LODGE_WRITE_MATRIX"] != nil {
            try text.write(to: Self.page, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: Self.page, encoding: .utf8) == text)
    }
}
