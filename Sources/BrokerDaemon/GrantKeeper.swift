// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
import Gateway
import Secrets
import Synchronization

/// The grants of a running broker: tokens are digested here and never stored.
package final class GrantKeeper: Authenticating {
    private let table: Mutex<GrantTable<TokenDigest>>
    package let openGrant: Grant?

    package init(_ authentication: BrokerSettings.Authentication) {
        switch authentication {
        case .bearer(let token, let principal):
            let grant = Grant(principal: Principal(name: principal))
            table = Mutex(GrantTable([token.digest: grant]))
            openGrant = nil
        case .none:
            table = Mutex(GrantTable())
            openGrant = .open
        }
    }

    package func grant(for token: Substring) -> Grant? {
        try? table.withLock { table throws(GrantTable<TokenDigest>.Refusal) in
            try table.grant(for: TokenDigest(of: token), now: .now)
        }
    }
}
