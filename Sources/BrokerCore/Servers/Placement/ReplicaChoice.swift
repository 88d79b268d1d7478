// SPDX-License-Identifier: Apache-2.0

/// Which replica of a pool gets a call.
enum ReplicaChoice {
    struct Load: Hashable, Sendable {
        var isReady: Bool
        /// Calls without an answer, and those on their way in.
        var calls: Int
    }

    /// The ready one with the fewest calls, the lowest of equals; the home, which is the first, where none is ready.
    static func index(among loads: [Load]) -> Int {
        loads.indices.filter { loads[$0].isReady }.min { loads[$0].calls < loads[$1].calls } ?? 0
    }
}
