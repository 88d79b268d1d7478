// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Logging
import NIOCore

/// Event streams, each written through an outlet, whatever they are for.
extension RelayHandler {
    /// Begins the response that an outlet writes to.
    func begin(_ outlet: EventOutlet, for owner: any OutletOwner, with first: [ByteBuffer]) {
        guard let context else { return }
        phase = .streaming
        self.outlet = outlet
        writeStreamHead(context: context)
        for piece in first { write(piece, context: context) }
        arm(by: outlet.due)
        if !outlet.begin(for: owner) { context.flush() }
    }

    func write(_ events: [MessageBytes], of outlet: EventOutlet, ends: Bool) {
        guard outlet === self.outlet, let context else { return }
        for event in events {
            switch outlet.bound {
            case .answers:
                guard hasRoom(for: event) else { return closeNow() }
                write(event, context: context)
            case .backlog:
                let promise = context.eventLoop.makePromise(of: Void.self)
                let count = event.count
                promise.futureResult.assumeIsolated().whenSuccess { outlet.wasTaken(count) }
                write(event, context: context, promise: promise)
            }
        }
        guard ends else {
            context.flush()
            return outlet.wrote(now: .now())
        }
        self.outlet = nil
        outlet.close()
        endResponse(context: context)
    }

    /// Writes a comment where the stream was silent, and tells its owner when the client has taken it.
    func keepAlive(_ outlet: EventOutlet, now: NIODeadline) {
        guard now >= outlet.due, let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { outlet.commentWasTaken() }
        write(EventFraming.keepAlive, context: context, promise: promise)
        context.flush()
        outlet.wrote(now: now)
    }

    func outletFellBehind(_ outlet: EventOutlet) {
        guard outlet === self.outlet else { return }
        core.logger.info("stream closed because its client reads too slowly")
        closeNow()
    }

    func outletAborted(_ outlet: EventOutlet) {
        if outlet === self.outlet { closeNow() }
    }
}
