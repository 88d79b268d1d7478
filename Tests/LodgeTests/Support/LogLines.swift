// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Lines of a log, and a way to wait for one.
final class LogLines: Sendable {
    private struct State {
        var lines: [String] = []
        var waiters: [Int: (condition: @Sendable ([String]) -> Bool, continuation: CheckedContinuation<Void, Never>)] =
            [:]
        var last = 0
    }

    private let state = Mutex(State())

    var lines: [String] { state.withLock { $0.lines } }

    func append(_ line: String) {
        let reached = state.withLock { state in
            state.lines.append(line)
            let reached = state.waiters.filter { $0.value.condition(state.lines) }
            for key in reached.keys { state.waiters[key] = nil }
            return reached.values.map(\.continuation)
        }
        for waiter in reached { waiter.resume() }
    }

    /// The lines that hold the text.
    func lines(with text: String) -> [String] { lines.filter { $0.contains(text) } }

    /// Waits until so many lines hold the text; the test's time limit ends a wait in vain.
    func wait(for text: String, times: Int = 1) async {
        await wait { lines in lines.count { $0.contains(text) } >= times }
    }

    /// Waits until all lines so far are as they should be; the test's time limit ends a wait in vain.
    func wait(until condition: @escaping @Sendable ([String]) -> Bool) async {
        let key = state.withLock { state in
            state.last += 1
            return state.last
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if condition(state.lines) || Task.isCancelled { return true }
                    state.waiters[key] = (condition, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: key) }?.continuation.resume()
        }
    }
}
