// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Waits for one part from each of several members, for no longer than a limit.
///
/// It asks nobody and hands over once: with the last part, or with those that are there when the time is up.
final class MemberRound<Part: Sendable>: Sendable {
    private struct State {
        var parts: [Part?]
        var waiting: Set<Int>
        var isDone = false
        var stopTimer: (@Sendable () -> Void)?
    }

    private let limit: Duration
    private let delays: any DelayScheduler
    private let completion: @Sendable ([Part?]) -> Void
    private let state: Mutex<State>

    /// - Parameter completion: gets the parts in the order of their numbers, nil for those that did not come.
    init(
        _ count: Int, within limit: Duration, delays: any DelayScheduler,
        completion: @escaping @Sendable ([Part?]) -> Void
    ) {
        self.limit = limit
        self.delays = delays
        self.completion = completion
        state = Mutex(State(parts: Array(repeating: nil, count: count), waiting: Set(0..<count)))
    }

    func start() {
        guard !state.withLock({ $0.waiting.isEmpty }) else { return complete() }
        let stop = delays.after(limit) { [weak self] in self?.complete() }
        let isDone = state.withLock { state in
            state.stopTimer = stop
            return state.isDone
        }
        if isDone { stop() }
    }

    /// Takes a member's part, nil where it has none; only the first one of each counts.
    func end(_ index: Int, _ part: Part?) {
        let isLast = state.withLock { state in
            guard !state.isDone, state.waiting.remove(index) != nil else { return false }
            state.parts[index] = part
            return state.waiting.isEmpty
        }
        if isLast { complete() }
    }

    private func complete() {
        let end = state.withLock { state -> ([Part?], (@Sendable () -> Void)?)? in
            guard !state.isDone else { return nil }
            state.isDone = true
            return (state.parts, state.stopTimer)
        }
        guard let (parts, stopTimer) = end else { return }
        stopTimer?()
        completion(parts)
    }
}
