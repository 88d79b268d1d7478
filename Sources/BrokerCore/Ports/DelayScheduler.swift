// SPDX-License-Identifier: Apache-2.0

/// Calls back once after a while, for limits that belong to no upstream.
package protocol DelayScheduler: Sendable {
    /// - Returns: what gives the call up; without effect once it was made.
    func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> @Sendable () -> Void
}
