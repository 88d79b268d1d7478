// SPDX-License-Identifier: Apache-2.0
import NIOCore
import Synchronization

/// Bytes that came from a connection, for one task that waits for them with a time limit.
final class ByteInbox: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func add(_ bytes: [UInt8]) {
        state.withLock { state in
            state.bytes += bytes
            return state.waiter.take()
        }?.resume()
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            return state.waiter.take()
        }?.resume()
    }

    /// All bytes that have come; waits for the first where there are none. Nil once the connection has ended.
    func next(within limit: TimeAmount, waitingFor what: String) async throws -> [UInt8]? {
        let deadline = ContinuousClock.now + .nanoseconds(limit.nanoseconds)
        while true {
            let (bytes, isClosed) = state.withLock { state in
                defer { state.bytes = [] }
                return (state.bytes, state.isClosed)
            }
            if !bytes.isEmpty { return bytes }
            if isClosed { return nil }
            try Task.checkCancellation()
            guard ContinuousClock.now < deadline else { throw RawHTTPError.timedOut(waitingFor: what) }
            await wait(until: deadline)
        }
    }

    private func wait(until deadline: ContinuousClock.Instant) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.arrival() }
            group.addTask { try? await ContinuousClock().sleep(until: deadline) }
            await group.next()
            group.cancelAll()
            wake()
        }
    }

    private func arrival() async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if !state.bytes.isEmpty || state.isClosed { return true }
                state.waiter = continuation
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func wake() { state.withLock { $0.waiter.take() }?.resume() }
}

/// Puts what a channel reads into a ``ByteInbox``.
final class InboxHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let inbox: ByteInbox

    init(inbox: ByteInbox) { self.inbox = inbox }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        inbox.add(Array(buffer: Self.unwrapInboundIn(data)))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed { inbox.close() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        inbox.close()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        inbox.close()
        context.close(promise: nil)
    }
}
