// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import ChildProcesses
import ServiceLifecycle
import Upstreams

/// Lets the guard go once no process is left for it to guard.
struct GuardService: Service {
    let guardian: GuardProcess

    func run() async throws {
        // Waits for either end of the group; both are ways to stop.
        try? await gracefulShutdown()
        await guardian.stop()
    }
}

/// Runs the supervisors of all servers; they stop together.
///
/// A broker that is told to end gives calls in flight a moment to be answered; then it ends the servers, and what is
/// left gets that as its answer.
struct SupervisorsService: Service {
    static let grace: Duration = .seconds(1)
    private static let look: Duration = .milliseconds(20)

    let servers: [ServerAssembly]

    func run() async throws {
        // With no server there is nothing to run, but a service that ends would end the others.
        guard !servers.isEmpty else { return try await gracefulShutdown() }
        await withDiscardingTaskGroup { group in
            for server in servers { group.addTask { await server.supervisor.run() } }
            group.addTask {
                // It throws where the whole group is cancelled; then nobody waits for an answer.
                if (try? await gracefulShutdown()) != nil { await drain() }
                // The last that was started is the first to be stopped.
                for server in servers.reversed() { server.supervisor.shutDown() }
            }
        }
    }

    private func drain() async {
        let end = ContinuousClock.now.advanced(by: Self.grace)
        while ContinuousClock.now < end, servers.contains(where: { $0.relay.relay.status().callsInFlight > 0 }) {
            guard (try? await Task.sleep(for: Self.look)) != nil else { return }
        }
    }
}

/// Ends sessions that are over their time.
struct SweepService: Service {
    static let interval: Duration = .seconds(15)

    let servers: [ServerAssembly]
    let aggregate: AggregateServer

    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Sleeping throws when the broker stops, which ends the loop.
            while (try? await Task.sleep(for: Self.interval)) != nil {
                // Members first: they know which of their sessions are busy.
                for server in servers { server.relay.sweep() }
                aggregate.sweep()
            }
        }
    }
}
