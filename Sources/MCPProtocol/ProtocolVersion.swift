// SPDX-License-Identifier: Apache-2.0

/// The revisions of the protocol that begin with a handshake, oldest first.
///
/// A revision that is not here is not refused by itself: a client that asks for one is answered with one that is.
package enum ProtocolVersion: String, Sendable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"

    /// The newest revision, which Lodge itself asks a server for.
    package static let newest = ProtocolVersion.november2025

    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    /// The version to answer a client with: its own where the server's is not older, else the server's.
    package static func negotiated(asked: String, server: String) -> String {
        guard let asked = ProtocolVersion(rawValue: asked) else { return server }
        guard let offered = ProtocolVersion(rawValue: server) else {
            return server > asked.rawValue ? asked.rawValue : server
        }
        return min(asked, offered).rawValue
    }

    /// The number of the revision in what Lodge signs.
    package var wireIndex: UInt8 {
        switch self {
        case .november2024: 0
        case .march2025: 1
        case .june2025: 2
        case .november2025: 3
        }
    }

    package init?(wireIndex: UInt8) {
        guard let version = Self.allCases.first(where: { $0.wireIndex == wireIndex }) else { return nil }
        self = version
    }
}
