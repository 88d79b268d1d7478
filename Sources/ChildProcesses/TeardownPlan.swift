// SPDX-License-Identifier: Apache-2.0

import Glibc

/// One step of ending a child and everything it started.
package enum TeardownStep: Hashable, Sendable {
    /// Closes the child's standard input, which a program that serves it takes as the wish to end.
    case closeStandardInput
    /// Waits so long for the whole tree to end by itself.
    case wait(Duration)
    /// Sends a signal to the child's process group.
    case signalGroup(Int32)
    /// Kills the whole tree, until nothing of it is left. A plan always ends with it, named or not.
    case killTree
}

extension [TeardownStep] {
    /// Standard input closed, 1 s, TERM to the group, 2 s, KILL to the whole tree; under 5 s in all.
    package static var standard: Self {
        [.closeStandardInput, .wait(.seconds(1)), .signalGroup(SIGTERM), .wait(.seconds(2)), .killTree]
    }
    /// KILL to the whole tree at once.
    package static var immediate: Self { [.killTree] }
}

/// Decides when each step of a teardown is done.
///
/// It acts on nothing and reads no clock: `elapsed` is the time since the teardown began. A plan ends early, at
/// whatever step, as soon as the whole tree has ended.
struct TeardownPlan: Sendable {
    enum Action: Hashable, Sendable {
        case closeStandardInput
        case signalGroup(Int32)
        case killTree
        /// Come back with `timePassed` then, unless the tree ends before.
        case wake(at: Duration)
        /// The last action.
        case finished
    }

    private enum State: Hashable {
        /// Nothing is done yet. Can transition to `waiting`, `killing` and `ended`.
        case idle
        /// Time is given until a moment. Can transition to itself, `killing` and `ended`.
        case waiting(until: Duration)
        /// The tree is being killed; only its end is waited for. Can transition to `ended`.
        case killing
        /// Nothing more will be answered.
        case ended
    }

    private var steps: ArraySlice<TeardownStep>
    private var state = State.idle

    init(_ steps: [TeardownStep]) {
        self.steps = steps[...]
    }

    mutating func start(at elapsed: Duration) -> [Action] {
        guard state == .idle else { return [] }
        return proceed(at: elapsed)
    }

    mutating func timePassed(to elapsed: Duration) -> [Action] {
        guard case .waiting(let end) = state else { return [] }
        return elapsed < end ? [.wake(at: end)] : proceed(at: elapsed)
    }

    /// The tree has ended, or could not be ended within the limit of the kill.
    mutating func treeEnded() -> [Action] {
        guard state != .ended else { return [] }
        state = .ended
        return [.finished]
    }

    private mutating func proceed(at elapsed: Duration) -> [Action] {
        var actions: [Action] = []
        while let step = steps.popFirst() {
            switch step {
            case .closeStandardInput: actions.append(.closeStandardInput)
            case .signalGroup(let signal): actions.append(.signalGroup(signal))
            case .wait(let duration):
                state = .waiting(until: elapsed + duration)
                return actions + [.wake(at: elapsed + duration)]
            case .killTree:
                state = .killing
                return actions + [.killTree]
            }
        }
        state = .killing
        return actions + [.killTree]
    }
}
