// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A value that comes once, for any number of waiters and callbacks, also for those that ask after it came.
///
/// It makes no task and no thread: waiters are resumed, and callbacks run, where `set` is called.
final class OneShot<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [UInt64: CheckedContinuation<Value?, Never>] = [:]
        var callbacks: [@Sendable (Value) -> Void] = []
        var nextWaiter: UInt64 = 0
    }
    private let state = Mutex(State())

    var value: Value? { state.withLock { $0.value } }

    /// Sets the value; a second one is ignored.
    func set(_ value: Value) {
        let told = state.withLock { state -> State? in
            guard state.value == nil else { return nil }
            defer { (state.waiters, state.callbacks) = ([:], []) }
            state.value = value
            return state
        }
        guard let told else { return }
        // Callbacks first: they are what fails the calls in flight, and they must not wait for a task to be scheduled.
        for callback in told.callbacks { callback(value) }
        for waiter in told.waiters.values { waiter.resume(returning: value) }
    }

    /// Calls back once with the value; at once, on the caller's thread, if it is there already.
    func whenSet(_ callback: @escaping @Sendable (Value) -> Void) {
        let value = state.withLock { state in
            if state.value == nil { state.callbacks.append(callback) }
            return state.value
        }
        if let value { callback(value) }
    }

    /// Waits for the value; nil when the waiting task is cancelled first.
    func wait() async -> Value? {
        let id = state.withLock { state in
            defer { state.nextWaiter += 1 }
            return state.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSettled = state.withLock { state in
                    // A task is marked cancelled before its handler runs, so one of the two sees the waiter.
                    if state.value != nil || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isSettled { continuation.resume(returning: value) }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
    }

    /// Waits for the value even if the waiting task is cancelled.
    func waitUncancelled() async -> Value {
        await withCheckedContinuation { continuation in
            whenSet { continuation.resume(returning: $0) }
        }
    }
}
