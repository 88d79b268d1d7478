// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// One deadline at a time, the earliest that was asked for, kept by an event loop.
final class LoopTimer: DeadlineTimer {
    private struct Armed {
        var deadline: ContinuousClock.Instant
        var scheduled: Scheduled<Void>
    }

    private let loop: any EventLoop
    private let fire: @Sendable () -> Void
    private let armed = Mutex<Armed?>(nil)

    init(on loop: any EventLoop, fire: @escaping @Sendable () -> Void) {
        self.loop = loop
        self.fire = fire
    }

    /// Two callers may be on their way here at once; a later deadline never replaces an earlier one.
    func arm(at deadline: ContinuousClock.Instant) {
        armed.withLock { armed in
            if let current = armed {
                guard deadline < current.deadline else { return }
                current.scheduled.cancel()
            }
            let delay = max(.zero, ContinuousClock.now.duration(to: deadline))
            armed = Armed(
                deadline: deadline,
                scheduled: loop.scheduleTask(in: .init(delay)) { [self] in
                    self.armed.withLock { $0 = nil }
                    fire()
                })
        }
    }
}
