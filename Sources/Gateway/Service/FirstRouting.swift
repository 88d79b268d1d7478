// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Waits until a connection has something for Hummingbird: a request that is not relayed, or its end.
///
/// Most connections never have the first, and a task that is deep in Hummingbird costs a few kilobytes for each of them.
final class FirstRouting: Sendable {
    private enum State {
        case nothing
        case awaited(CheckedContinuation<Void, Never>)
        case happened
    }

    private let state = Mutex(State.nothing)

    /// Returns when ``happen()`` was called, or the task was cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let hasHappened = state.withLock { state in
                    if case .happened = state { return true }
                    state = .awaited(continuation)
                    return false
                }
                if hasHappened { continuation.resume() }
            }
        } onCancel: {
            happen()
        }
    }

    func happen() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            defer { state = .happened }
            if case .awaited(let continuation) = state { return continuation }
            return nil
        }
        waiting?.resume()
    }
}
