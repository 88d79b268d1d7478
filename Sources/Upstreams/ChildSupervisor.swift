// SPDX-License-Identifier: Apache-2.0
package import BrokerCore
package import ChildProcesses
package import Logging
package import NIOCore
import Synchronization

/// Runs the child processes of one server, for as many upstreams as its isolation asks for.
///
/// It is owned by the composition root, which awaits `run()`; when that is cancelled, or `shutDown()` was called, every
/// child is torn down before it returns. It decides nothing about clients.
package final class ChildSupervisor: UpstreamSupervisor {
    private struct State {
        var runs: [ObjectIdentifier: AsyncStream<ChildRun.Event>.Continuation] = [:]
        var isShutDown = false
    }

    private struct Order: Sendable {
        var upstream: Upstream
        var restarts: Bool
        var events: AsyncStream<ChildRun.Event>
        var report: AsyncStream<ChildRun.Event>.Continuation
    }

    private let environment: ChildRun.Environment
    private let state = Mutex(State())
    private let orders: AsyncStream<Order>
    private let ordering: AsyncStream<Order>.Continuation

    package init(plan: ChildPlan, guardian: GuardProcess?, loops: any EventLoopGroup, logger: Logger) {
        environment = ChildRun.Environment(plan: plan, guardian: guardian, loops: loops, logger: logger)
        (orders, ordering) = AsyncStream.makeStream()
    }

    package func start(_ upstream: Upstream, restarts: Bool) {
        let (events, report) = AsyncStream<ChildRun.Event>.makeStream()
        let accepted = state.withLock { state in
            guard !state.isShutDown else { return false }
            state.runs[ObjectIdentifier(upstream)] = report
            return true
        }
        guard accepted else { return upstream.generationEnded(Ending(.stopped), retry: nil) }
        ordering.yield(Order(upstream: upstream, restarts: restarts, events: events, report: report))
    }

    package func stop(_ upstream: Upstream) {
        state.withLock { $0.runs[ObjectIdentifier(upstream)] }?.yield(.stop)
    }

    /// Tears every child down, and lets `run()` return once that is done.
    package func shutDown() {
        let runs = state.withLock { state in
            state.isShutDown = true
            return Array(state.runs.values)
        }
        for report in runs { report.yield(.stop) }
        ordering.finish()
    }

    /// Supervises until `shutDown()` is called or the task is cancelled.
    package func run() async {
        await withTaskCancellationHandler {
            await withDiscardingTaskGroup { group in
                for await order in orders {
                    group.addTask { [self] in
                        let run = ChildRun(
                            upstream: order.upstream, restarts: order.restarts, report: order.report,
                            environment: environment)
                        await run.supervise(order.events)
                        state.withLock { _ = $0.runs.removeValue(forKey: ObjectIdentifier(order.upstream)) }
                    }
                }
                // Children of a cancelled group are told by `shutDown`; waiting for them is what the group does.
            }
        } onCancel: {
            shutDown()
        }
    }
}
