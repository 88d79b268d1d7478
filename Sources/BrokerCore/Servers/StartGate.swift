// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lets callers wait for the first outcome of a server's start.
///
/// It opens once: later outcomes do not change what it says. It has no time limit of its own; who waits brings one.
package final class StartGate: Sendable {
    /// How the first start went.
    package enum Outcome: Hashable, Sendable {
        case ready
        case failed(String)
    }

    private struct State {
        var outcome: Outcome?
        var waiters: [UInt64: CheckedContinuation<Outcome?, Never>] = [:]
        var last: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Opens the gate; only the first call counts.
    package func open(_ outcome: Outcome) {
        let waiters = state.withLock { state -> [CheckedContinuation<Outcome?, Never>] in
            guard state.outcome == nil else { return [] }
            state.outcome = outcome
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: outcome) }
    }

    package var outcome: Outcome? { state.withLock { $0.outcome } }

    /// Waits for the first outcome; nil when the waiting task was cancelled before.
    package func wait() async -> Outcome? {
        let ticket = state.withLock { state -> UInt64 in
            state.last += 1
            return state.last
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known: Outcome?? = state.withLock { state in
                    if let outcome = state.outcome { return .some(outcome) }
                    if Task.isCancelled { return .some(nil) }
                    state.waiters[ticket] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: ticket) }?.resume(returning: nil)
        }
    }
}
