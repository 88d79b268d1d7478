// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The upstreams that modern clients of one server have, one for each principal (isolation `client`).
///
/// It does not start or stop them and knows no sessions; its owner does both. Invariants:
/// 1. a principal has one upstream, however many of its clients call at once;
/// 2. an upstream that was taken out is never given to anybody again.
final class PrincipalUpstreams: Sendable {
    private struct Entry {
        let upstream: Upstream
        var lastUsed: ContinuousClock.Instant
    }

    /// What a request finds.
    enum Finding {
        case known(Upstream)
        /// There is none yet; the caller made room, and starts this one.
        case new(Upstream)
        case full
    }

    private let entries = Mutex<[Principal: Entry]>([:])

    var count: Int { entries.withLock { $0.count } }

    var all: [Upstream] { entries.withLock { $0.values.map(\.upstream) } }

    /// Finds a principal's upstream, or enters one that is made for it.
    ///
    /// - Parameter hasRoom: asked with how many there are, where one would be added.
    func find(
        _ principal: Principal, now: ContinuousClock.Instant, hasRoom: (Int) -> Bool, make: () -> Upstream
    ) -> Finding {
        entries.withLock { entries in
            if let known = entries[principal] {
                entries[principal]?.lastUsed = now
                return .known(known.upstream)
            }
            guard hasRoom(entries.count) else { return .full }
            let upstream = make()
            entries[principal] = Entry(upstream: upstream, lastUsed: now)
            return .new(upstream)
        }
    }

    /// Whether an upstream is one of these.
    func holds(_ upstream: Upstream) -> Bool {
        entries.withLock { $0.values.contains { $0.upstream === upstream } }
    }

    /// Takes out every upstream that was not used for so long; one that is busy counts as used.
    func takeIdle(
        since limit: Duration, now: ContinuousClock.Instant, isBusy: (Upstream) -> Bool
    ) -> [Upstream] {
        entries.withLock { entries in
            var idle: [Upstream] = []
            for (principal, entry) in entries {
                if isBusy(entry.upstream) {
                    entries[principal]?.lastUsed = now
                } else if entry.lastUsed.duration(to: now) >= limit {
                    entries[principal] = nil
                    idle.append(entry.upstream)
                }
            }
            return idle
        }
    }

    func takeAll() -> [Upstream] {
        entries.withLock { entries in
            defer { entries = [:] }
            return entries.values.map(\.upstream)
        }
    }
}
