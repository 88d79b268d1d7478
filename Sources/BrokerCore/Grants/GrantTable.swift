// SPDX-License-Identifier: Apache-2.0

/// The grants of one broker, found by the digest of their token.
///
/// It holds no token, and it does not hash: the caller digests what a client presents, so that the comparison of a
/// guess with a stored value never depends on the token's own bytes.
package struct GrantTable<Digest: Hashable & Sendable>: Sendable {
    /// Why a token opens nothing.
    package enum Refusal: Error, Hashable, Sendable {
        case unknown
        case expired
    }

    private var grants: [Digest: Grant]

    package init(_ grants: [Digest: Grant] = [:]) { self.grants = grants }

    package mutating func add(_ grant: Grant, digest: Digest) { grants[digest] = grant }

    package mutating func revoke(digest: Digest) { grants[digest] = nil }

    /// Finds the grant of a token's digest.
    package func grant(for digest: Digest, now: ContinuousClock.Instant) throws(Refusal) -> Grant {
        guard let grant = grants[digest] else { throw .unknown }
        if let expiry = grant.expiry, now >= expiry { throw .expired }
        return grant
    }
}
