// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Logging
import NIOCore

/// One timer for a connection, armed for the earliest thing that may become due, and never once for each call.
extension RelayHandler {
    var eventLoop: any EventLoop {
        guard let context else { preconditionFailure("a handler without a pipeline has no event loop") }
        return context.eventLoop
    }

    /// Sees to it that the connection is looked at when that time has come, or before.
    func arm(by deadline: NIODeadline) {
        guard let context, armed.map({ deadline < $0 }) ?? true else { return }
        timer?.cancel()
        armed = deadline
        timer = context.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { self.tick() }
    }

    private func tick() {
        timer = nil
        armed = nil
        let now = NIODeadline.now()
        if let shutdownDeadline, now >= shutdownDeadline { return closeNow() }
        if let waiting, backpressure.isStalled(waiting: waiting, now: now, limit: core.limits.writeStall) {
            core.logger.info("connection closed because its client takes nothing")
            return closeNow()
        }
        switch phase {
        case .idle: tickIdle(now)
        case .collecting: if now >= request.start + core.limits.requestArrival { refuse(.tooSlow) }
        case .routed(requestEnded: false, _): if now >= request.start + core.limits.requestArrival { closeNow() }
        case .routed: break
        case .answering: exchange?.tick(now: now)
        case .streaming: if let outlet { keepAlive(outlet, now: now) }
        case .draining: if now >= (phaseStart ?? now) + core.limits.drainedFor { closeNow() }
        case .closing: if now >= (phaseStart ?? now) + core.limits.writeStall { closeNow() }
        }
        if context?.channel.isActive == true, let next = nextDue(now) { arm(by: max(next, now + .milliseconds(1))) }
    }

    private func tickIdle(_ now: NIODeadline) {
        if let arrivalStart {
            guard now >= arrivalStart + core.limits.requestArrival else { return }
            request = RequestInHand()
            phase = .answering
            refuse(.tooSlow)
        } else if now >= (phaseStart ?? now) + idleLimit {
            closeNow()
        }
    }

    /// A connection that has not brought a request yet gets less time than one that is kept for the next.
    private var idleLimit: TimeAmount { hasServed ? core.limits.idle : core.limits.newConnection }

    private func nextDue(_ now: NIODeadline) -> NIODeadline? {
        let due: NIODeadline? =
            switch phase {
            case .idle:
                arrivalStart.map { $0 + core.limits.requestArrival } ?? (phaseStart ?? now) + idleLimit
            case .collecting, .routed(requestEnded: false, _): request.start + core.limits.requestArrival
            case .routed: nil
            case .answering: exchange?.due
            case .streaming: outlet?.due
            case .draining: (phaseStart ?? now) + core.limits.drainedFor
            case .closing: (phaseStart ?? now) + core.limits.writeStall
            }
        let stall = backpressure.stalledSince == nil ? nil : now + stallInterval
        return [due, stall, shutdownDeadline].compactMap(\.self).min()
    }

    // MARK: Backpressure

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            backpressure.becameWritable()
        } else {
            let now = NIODeadline.now()
            backpressure.becameUnwritable(waiting: waiting ?? 0, now: now)
            arm(by: now + stallInterval)
        }
        context.fireChannelWritabilityChanged()
    }

    /// Whether another message may be held for the client; one alone may, however long.
    func hasRoom(for message: MessageBytes) -> Bool {
        guard backpressure.stalledSince != nil, let waiting, waiting > 0 else { return true }
        return waiting + message.count <= core.limits.heldForClient
    }

    private var stallInterval: TimeAmount { .nanoseconds(core.limits.writeStall.nanoseconds / 4) }

    /// How many bytes the connection holds that the client has not taken.
    private var waiting: Int? {
        try? context?.channel.syncOptions?.getOption(ChannelOptions.bufferedWritableBytes)
    }
}
