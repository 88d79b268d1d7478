// SPDX-License-Identifier: Apache-2.0

/// Which of the two forms of the protocol a message, a client or a server speaks.
///
/// They differ in how a conversation begins, not in what a server offers. What an endpoint speaks is decided for each
/// message, what a child speaks for its whole life.
package enum Era: String, Hashable, Sendable, CaseIterable {
    /// A handshake, then sessions: 2024-11-05 to 2025-11-25 (``ProtocolVersion``).
    case legacy
    /// Every request stands alone and brings its metadata: 2026-07-28.
    case modern
}

/// The revisions of the modern era.
package enum ModernRevision {
    /// The newest one, which Lodge itself speaks to a modern server.
    package static let newest = "2026-07-28"
    /// All that Lodge speaks, newest first (`supportedVersions` of a discovery).
    package static let supported = [newest]

    package static func isSupported(_ version: String) -> Bool { supported.contains(version) }
}
