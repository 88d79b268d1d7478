// SPDX-License-Identifier: Apache-2.0
import NIOCore
import NIOHTTP1
import Synchronization

/// How a connection begins, goes from one request to the next, and ends.
extension RelayHandler {
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        core.meters.connections.add(1, ordering: .relaxed)
        if context.channel.isActive { started() }
    }

    func channelActive(context: ChannelHandlerContext) {
        started()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        leave()
        rouse()
        context.fireChannelInactive()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        leave()
        rouse()
        self.context = nil
        encoderContext = nil
        core.meters.connections.subtract(1, ordering: .relaxed)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            inputClosed(context: context)
        } else if event is ChannelShouldQuiesceEvent {
            // Not passed on: Hummingbird would close the connection at once, because it does not see our requests.
            shutDown()
        } else {
            rouse()
            context.fireUserInboundEventTriggered(event)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard error is HTTPParserError else {
            leave()
            rouse()
            return context.fireErrorCaught(error)
        }
        // After such an error the parser reads nothing more of this connection.
        switch phase {
        case .idle:
            request = RequestInHand()
            refuseUnparsed(error)
        case .collecting: refuseUnparsed(error)
        case .answering, .streaming, .routed: request.keepsAlive = false
        case .draining: closeNow()
        case .closing: break
        }
    }

    private func refuseUnparsed(_ error: any Error) {
        phase = .answering
        refuse(error as? HTTPParserError == .headerOverflow ? .headTooLarge : .malformed)
    }

    private func started() {
        phaseStart = .now()
        arm(by: .now() + core.limits.newConnection)
    }

    /// The client sends nothing more. While it waits for us that counts as its leaving, as with Go's net/http.
    private func inputClosed(context: ChannelHandlerContext) {
        switch phase {
        case .collecting, .answering, .streaming, .draining: closeNow()
        case .idle, .routed:
            forgetHeldParts()
            rouse()
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .closing: break
        }
    }

    private func shutDown() {
        guard shutdownDeadline == nil else { return }
        let deadline = NIODeadline.now() + core.limits.shutdownGrace
        shutdownDeadline = deadline
        request.keepsAlive = false
        forgetHeldParts()
        if case .idle = phase { return closeNow() }
        outlet?.shutDown()
        arm(by: deadline)
    }

    // MARK: Transitions

    func becomeIdle() {
        phase = .idle
        request = RequestInHand()
        let now = NIODeadline.now()
        phaseStart = now
        arm(by: now + core.limits.idle)
    }

    func becomeDraining() {
        phase = .draining
        drained = 0
        let now = NIODeadline.now()
        phaseStart = now
        arm(by: now + core.limits.drainedFor)
    }

    /// Closes the connection once the end of its last response is written.
    func close(after written: EventLoopFuture<Void>) {
        phase = .closing
        forgetHeldParts()
        let now = NIODeadline.now()
        phaseStart = now
        arm(by: now + core.limits.writeStall)
        written.assumeIsolated().whenComplete { [weak self] _ in self?.context?.close(promise: nil) }
    }

    /// Closes the connection whatever is still to be written, and gives up what is in flight.
    func closeNow() {
        leave()
        phase = .closing
        context?.close(promise: nil)
    }

    /// The client has gone: its exchange or stream ends, and nothing is armed any more.
    private func leave() {
        phase = .closing
        forgetHeldParts()
        timer?.cancel()
        timer = nil
        if let exchange {
            self.exchange = nil
            exchange.abandon()
        }
        if let outlet {
            self.outlet = nil
            outlet.close()
        }
    }
}
