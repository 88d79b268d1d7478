// SPDX-License-Identifier: Apache-2.0

/// What a teardown came to.
package struct TeardownReport: Hashable, Sendable {
    /// How the child ended; nil only if even SIGKILL did not end it in time.
    package var status: ExitStatus?
    /// Processes of the tree that outlived SIGKILL, because the kernel does not let go of them. As a rule, none.
    package var survivors: [Int32]
}

extension ChildProcess {
    /// Ends the child and everything it started, step by step, and returns when nothing of it is left.
    ///
    /// With the standard steps that takes under 5 s, and no longer than the tree itself takes to end. Cancellation does
    /// not cut it short. A call during another one joins it, unless it kills at once: that is done beside the other.
    @discardableResult
    package func teardown(
        _ steps: [TeardownStep] = .standard, clock: some Clock<Duration> = ContinuousClock()
    ) async -> TeardownReport {
        if beginTeardown() || steps.first == .killTree {
            // An own task, awaited at once: the caller's cancellation must not reach the steps.
            await Task { await run(TeardownPlan(steps), clock: clock) }.value
        }
        let survivors = await waitForEnd()
        return TeardownReport(status: exitStatus, survivors: survivors)
    }

    /// Kills everything that the child and its tree left running, and waits for it to be gone.
    @discardableResult
    package func reapTree() async -> TeardownReport { await teardown(.immediate) }

    private func run<C: Clock<Duration>>(_ plan: TeardownPlan, clock: C) async {
        var plan = plan
        await rememberTree()
        let beginning = clock.now
        var actions = plan.start(at: .zero)
        while true {
            var wake: Duration?
            for action in actions {
                switch action {
                case .closeStandardInput: closeStandardInput()
                case .signalGroup(let signal): sendToGroup(signal)
                case .killTree: killTree()
                case .wake(let moment): wake = moment
                case .finished: return
                }
            }
            if await treeEnded(before: wake.map { beginning.advanced(by: $0) }, clock: clock) {
                actions = plan.treeEnded()
            } else {
                actions = plan.timePassed(to: beginning.duration(to: clock.now))
            }
        }
    }

    /// Answers true when the tree has ended, false when the time came first.
    private func treeEnded<C: Clock<Duration>>(before moment: C.Instant?, clock: C) async -> Bool {
        guard let moment else {
            await waitForEnd()
            return true
        }
        return await withTaskGroup(of: Bool.self) { group in
            group.addTask { await self.waitForEndOrCancellation() != nil }
            group.addTask {
                // It throws only when cancelled, which is when the tree has ended first.
                do { try await clock.sleep(until: moment, tolerance: nil) } catch { return true }
                return false
            }
            let first = await group.next() ?? true
            group.cancelAll()
            return first
        }
    }
}
