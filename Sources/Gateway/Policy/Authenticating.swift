// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
import Synchronization

/// Tells what a bearer token opens.
///
/// It is asked on event loops for every request, so it must answer at once.
package protocol Authenticating: Sendable {
    /// What every request holds where authentication is switched off by name; nil where a token is needed.
    var openGrant: Grant? { get }
    /// Changes with every change of the grants, so that what was decided under another number is not relied on.
    var generation: UInt64 { get }
    /// The grant of a token, or nil where it is unknown, has expired or was revoked.
    func grant(for token: Substring) -> Grant?
}

/// Authentication switched off by name (`--auth none`).
package struct OpenAuthentication: Authenticating {
    package init() {}
    package var openGrant: Grant? { .open }
    package var generation: UInt64 { 0 }
    package func grant(for token: Substring) -> Grant? { .open }
}

/// Looks tokens up by their digest in a table of grants that may change while requests come.
///
/// It keeps no token and remembers no earlier answer, so that a revoked or expired grant ends with the next request.
package final class GrantAuthentication<Digest: Hashable & Sendable>: Authenticating {
    private let table: Mutex<GrantTable<Digest>>
    private let changes = Atomic<UInt64>(0)
    private let digest: @Sendable (Substring) -> Digest
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(
        _ table: GrantTable<Digest>, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        digest: @escaping @Sendable (Substring) -> Digest
    ) {
        self.table = Mutex(table)
        self.now = now
        self.digest = digest
    }

    package var openGrant: Grant? { nil }
    package var generation: UInt64 { changes.load(ordering: .acquiring) }

    package func grant(for token: Substring) -> Grant? {
        let digest = digest(token)
        return table.withLock { try? $0.grant(for: digest, now: now()) }
    }

    /// Changes the table of grants: adds one, or revokes one.
    package func change(_ body: (inout sending GrantTable<Digest>) -> Void) {
        table.withLock { table in
            body(&table)
            changes.add(1, ordering: .releasing)
        }
    }
}
