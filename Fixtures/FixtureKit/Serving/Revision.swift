// SPDX-License-Identifier: Apache-2.0

/// A revision of MCP that is agreed on by `initialize`. Revisions compare by their date.
package enum Revision: String, CaseIterable, Comparable, Sendable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"

    package static let latest = Revision.november2025

    /// The revision a client asks for, if it is known, else the latest (MCP lifecycle, version negotiation).
    package init(requested params: JSONValue) {
        self = params["protocolVersion"]?.text.flatMap(Revision.init(rawValue:)) ?? .latest
    }

    package static func < (left: Revision, right: Revision) -> Bool { left.rawValue < right.rawValue }
}
