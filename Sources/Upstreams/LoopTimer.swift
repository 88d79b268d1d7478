// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// One deadline at a time, kept by an event loop.
final class LoopTimer: DeadlineTimer {
    private let loop: any EventLoop
    private let fire: @Sendable () -> Void
    private let scheduled = Mutex<Scheduled<Void>?>(nil)

    init(on loop: any EventLoop, fire: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.fire = fire
    }

    func arm(at deadline: ContinuousClock.Instant) {
        let delay = max(.zero, ContinuousClock.now.duration(to: deadline))
        let next = loop.scheduleTask(in: .init(delay), fire)
        scheduled.withLock { scheduled in
            scheduled?.cancel()
            scheduled = next
        }
    }

    func cancel() {
        scheduled.withLock { scheduled in
            scheduled?.cancel()
            scheduled = nil
        }
    }
}
