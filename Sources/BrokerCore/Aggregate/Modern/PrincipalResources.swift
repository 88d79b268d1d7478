// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What modern clients of an aggregate know of its members' resources, for each principal.
///
/// Such clients have no session that could keep it; all of a principal's share one. It is bounded: the principal that was
/// seen longest ago makes room, and is told of resources as at first when it comes back.
final class PrincipalResources: Sendable {
    private struct Entry {
        var known = KnownResources()
        var lastUsed: UInt64
    }

    private struct State {
        var entries: [Principal: Entry] = [:]
        var uses: UInt64 = 0
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int = 1000) { self.capacity = capacity }

    var count: Int { state.withLock { $0.entries.count } }

    /// Looks at what a principal knows, and changes it, under the lock.
    func with<Value: Sendable>(_ principal: Principal, _ body: (inout KnownResources) -> Value) -> Value {
        state.withLock { state in
            state.uses += 1
            if state.entries[principal] == nil, state.entries.count >= capacity,
                let oldest = state.entries.min(by: { $0.value.lastUsed < $1.value.lastUsed })?.key
            {
                state.entries[oldest] = nil
            }
            var entry = state.entries.removeValue(forKey: principal) ?? Entry(lastUsed: 0)
            entry.lastUsed = state.uses
            let value = body(&entry.known)
            state.entries[principal] = entry
            return value
        }
    }

    /// Whether a principal knows any resource of a member under a prefix; it does not count as a use.
    func renames(_ member: String, for principal: Principal) -> Bool {
        state.withLock { $0.entries[principal]?.known.resources.renamed.contains(member) ?? false }
    }

    /// Members have other resources now than those that are known.
    func outdate() {
        state.withLock { state in
            for principal in state.entries.keys { state.entries[principal]?.known.isCurrent = false }
        }
    }

    /// A member was taken out of the configuration.
    func forget(_ member: String) {
        state.withLock { state in
            for principal in state.entries.keys { state.entries[principal]?.known.forget(member) }
        }
    }
}
