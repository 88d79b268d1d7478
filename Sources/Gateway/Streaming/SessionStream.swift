// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// A session's own stream to its client (the GET of Streamable HTTP), as the core sees it.
///
/// It belongs to the ``RelayHandler`` of its connection, which writes. It counts what was handed over and not yet taken
/// by the client, and ends itself when that is too much.
// Sound: what is not behind the mutex is touched on the event loop only.
final class SessionStream: StreamSink, @unchecked Sendable {
    private struct Backlog {
        var messages = 0
        var bytes = 0
        /// Messages on their way to the event loop, which one from the loop itself must not overtake.
        var underway = 0
        var isClosed = false
    }

    private enum Delivery { case refused, tooFarBehind, direct, hop }

    let relay: any ServerRelay
    let session: String
    let principal: Principal
    private let eventLoop: any EventLoop
    private let limits: GatewayLimits
    private let meters: GatewayMeters
    private let backlog = Mutex(Backlog())
    private var handler: RelayHandler?
    /// Messages that came before the head of the response was written; nil afterwards.
    private var early: [MessageBytes]? = []
    private var closedEarly = false
    /// When something was last written.
    private var lastWrite: NIODeadline

    init(
        relay: any ServerRelay, session: String, principal: Principal, handler: RelayHandler,
        eventLoop: any EventLoop, limits: GatewayLimits, meters: GatewayMeters, now: NIODeadline
    ) {
        self.relay = relay
        self.session = session
        self.principal = principal
        self.handler = handler
        self.eventLoop = eventLoop
        self.limits = limits
        self.meters = meters
        lastWrite = now
        meters.streams.add(1, ordering: .relaxed)
    }

    deinit { meters.streams.subtract(1, ordering: .relaxed) }

    // MARK: StreamSink

    func deliver(_ message: MessageBytes) -> Bool {
        let inEventLoop = eventLoop.inEventLoop
        switch backlog.withLock({ take(message.count, inEventLoop: inEventLoop, &$0) }) {
        case .refused: return false
        case .tooFarBehind:
            eventLoop.execute { self.handler?.streamFellBehind(self) }
            return false
        case .direct: write(message)
        case .hop:
            eventLoop.execute {
                self.backlog.withLock { $0.underway -= 1 }
                self.write(message)
            }
        }
        return true
    }

    func close() {
        let wasOpen = backlog.withLock { backlog in
            defer { backlog.isClosed = true }
            return !backlog.isClosed
        }
        guard wasOpen else { return }
        // Always later: messages that were taken before the end are written before it.
        eventLoop.execute { self.end() }
    }

    private func take(_ count: Int, inEventLoop: Bool, _ backlog: inout Backlog) -> Delivery {
        if backlog.isClosed { return .refused }
        let isEmpty = backlog.messages == 0
        if !isEmpty,
            backlog.bytes + count > limits.streamBacklogBytes
                || backlog.messages >= limits.streamBacklogMessages
        {
            backlog.isClosed = true
            return .tooFarBehind
        }
        backlog.messages += 1
        backlog.bytes += count
        if inEventLoop, backlog.underway == 0 { return .direct }
        backlog.underway += 1
        return .hop
    }

    // MARK: For the handler, on the event loop

    /// The head of the response was written; true if the stream was closed in the meantime.
    func begin() -> Bool {
        let messages = early ?? []
        early = nil
        for message in messages { write(message) }
        return closedEarly
    }

    /// The client has left, or the stream ended: the session loses it, and nothing more is written.
    func leave() {
        handler = nil
        early = nil
        backlog.withLock { $0.isClosed = true }
        relay.closeStream(self, session: session, principal: principal)
    }

    /// The session is not known: the stream was never open.
    func drop() {
        handler = nil
        early = nil
        backlog.withLock { $0.isClosed = true }
    }

    /// A message was taken by the client's side of the connection.
    func wasTaken(_ count: Int) {
        backlog.withLock {
            $0.messages -= 1
            $0.bytes -= count
        }
    }

    /// When a comment has to be written.
    var due: NIODeadline { lastWrite + limits.keepAlive }

    func wrote(now: NIODeadline) { lastWrite = now }

    private func write(_ message: MessageBytes) {
        if early != nil {
            early?.append(message)
        } else {
            handler?.write(message, of: self)
        }
    }

    private func end() {
        if early != nil {
            closedEarly = true
        } else {
            handler?.streamEnded(self)
        }
    }
}
