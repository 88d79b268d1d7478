// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore

/// Delays on the event loops of the broker.
struct LoopDelays: DelayScheduler {
    private let group: any EventLoopGroup

    init(_ group: any EventLoopGroup) { self.group = group }

    func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        let scheduled = group.next().scheduleTask(in: TimeAmount(delay)) { body() }
        return { scheduled.cancel() }
    }
}

/// The supervisor of what has no processes of its own.
struct NoUpstreams: UpstreamSupervisor {
    func start(_ upstream: Upstream, restarts: Bool) {}
    func stop(_ upstream: Upstream) {}
}
