// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// Whoever has an event stream written by an ``EventOutlet``; asked and told on the outlet's event loop.
protocol OutletOwner: AnyObject, Sendable {
    /// Whether the stream has nothing to wait for when the gateway shuts down.
    var endsAtShutdown: Bool { get }
    /// What such a stream is told at its end then; nil where there is nothing to say.
    var farewell: MessageBytes? { get }
    /// The client has taken a comment, which shows that it still reads.
    func outletWasTaken(_ outlet: EventOutlet)
    /// The connection is gone, or the response has ended; the last `unwritten` events never reached the connection.
    func outletClosed(_ outlet: EventOutlet, unwritten: Int)
}

extension OutletOwner {
    var farewell: MessageBytes? { nil }
}

/// The way of one event stream into one response: takes events on any thread, in order, for the connection to write.
///
/// It is not the stream, which may outlive the connection. Several events that come before the event loop turns to them
/// are written with one flush. What it holds for a client that reads slowly is bounded; beyond the bound its connection
/// is closed.
// Sound: what is not behind the mutex is touched on the event loop only.
final class EventOutlet: @unchecked Sendable {
    /// How much may wait for the client.
    enum Bound: Sendable {
        /// Answers, which somebody waits for: so many bytes, and one message of any length.
        case answers(bytes: Int)
        /// What nobody asked for: so many bytes and messages that the client has not taken.
        case backlog(bytes: Int, messages: Int)
    }

    enum Taking: Sendable {
        case taken
        /// The stream was closed before, or is to end.
        case closed
        /// The client is so far behind that its connection is closed now.
        case fellBehind
    }

    private struct State {
        var events: [MessageBytes] = []
        /// What is counted against the bound.
        var messages = 0
        var bytes = 0
        /// Whether the event loop will turn to the events anyway.
        var isScheduled = false
        /// Whether the response ends behind the events; nothing more is taken.
        var ends = false
        var isClosed = false
    }

    let bound: Bound
    let eventLoop: any EventLoop
    private let keepAlive: TimeAmount
    private let state = Mutex(State())
    private var owner: (any OutletOwner)?
    private var handler: RelayHandler?
    private var hasBegun = false
    private var isDraining = false
    private var writes = 0
    /// Emptied, but with its memory; changes places with the events that wait.
    private var drained: [MessageBytes] = []
    /// When something was last written.
    private var lastWrite: NIODeadline

    init(_ bound: Bound, handler: RelayHandler, now: NIODeadline) {
        self.bound = bound
        self.handler = handler
        eventLoop = handler.eventLoop
        keepAlive = handler.core.limits.keepAlive
        lastWrite = now
    }

    // MARK: On any thread

    /// Takes an event, and hands it to the event loop; false where the stream is closed or had to be.
    func send(_ event: MessageBytes) -> Bool {
        defer { pump() }
        return enqueue(event) == .taken
    }

    /// Takes an event that ``pump()`` hands on, so that a caller can take several under a lock of its own.
    ///
    /// - Parameter ends: whether the response ends behind it.
    func enqueue(_ event: MessageBytes, ends: Bool = false) -> Taking {
        let count = event.count
        let taking = state.withLock { state in
            guard !state.isClosed, !state.ends else { return Taking.closed }
            if state.messages > 0, isBeyondBound(count, state) {
                state.isClosed = true
                return .fellBehind
            }
            state.events.append(event)
            state.messages += 1
            state.bytes += count
            state.ends = ends
            return .taken
        }
        if taking == .fellBehind { eventLoop.execute { self.handler?.outletFellBehind(self) } }
        return taking
    }

    private func isBeyondBound(_ count: Int, _ state: State) -> Bool {
        switch bound {
        case .answers(let bytes): state.bytes + count > bytes
        case .backlog(let bytes, let messages): state.bytes + count > bytes || state.messages >= messages
        }
    }

    /// Sees to it that what was taken is written: now, on the event loop itself.
    func pump() {
        if eventLoop.inEventLoop { return drain() }
        let isFirst = state.withLock { state in
            guard !state.events.isEmpty, !state.isScheduled else { return false }
            state.isScheduled = true
            return true
        }
        if isFirst { eventLoop.execute { self.drain() } }
    }

    /// Ends the response behind what was taken; without effect on a closed one.
    func end() {
        let isNews = state.withLock { state in
            defer { state.ends = true }
            return !state.isClosed && !state.ends
        }
        if isNews { eventLoop.execute { self.drain() } }
    }

    /// Closes the connection, whatever waits for it.
    func abort() {
        state.withLock { $0.isClosed = true }
        eventLoop.execute { self.handler?.outletAborted(self) }
    }

    // MARK: On the event loop, for the owner and the handler

    /// The head of the response was written: what came before it follows.
    ///
    /// - Returns: whether something was written, and flushed with it.
    func begin(for owner: any OutletOwner) -> Bool {
        self.owner = owner
        hasBegun = true
        let before = writes
        drain()
        return writes > before
    }

    private func drain() {
        guard hasBegun, !isDraining, let handler else { return }
        isDraining = true
        defer { isDraining = false }
        while let ends = takeEvents() {
            writes += 1
            handler.write(drained, of: self, ends: ends)
            // A burst does not hold its memory for as long as the connection lives.
            drained.removeAll(keepingCapacity: drained.count <= 16)
        }
    }

    /// Moves what waits into `drained`; nil where there is nothing to do, else whether the response ends behind it.
    private func takeEvents() -> Bool? {
        state.withLock { state in
            state.isScheduled = false
            guard !state.isClosed, !state.events.isEmpty || state.ends else { return nil }
            swap(&state.events, &drained)
            if case .answers = bound { (state.messages, state.bytes) = (0, 0) }
            if state.ends { state.isClosed = true }
            return state.ends
        }
    }

    /// A message that counts against the backlog was taken by the client's side of the connection.
    func wasTaken(_ count: Int) {
        state.withLock {
            $0.messages -= 1
            $0.bytes -= count
        }
    }

    func commentWasTaken() { owner?.outletWasTaken(self) }

    /// The gateway shuts down: a stream that has nothing to wait for ends.
    func shutDown() {
        guard owner?.endsAtShutdown ?? true else { return }
        guard let farewell = owner?.farewell else { return end() }
        _ = enqueue(EventFraming.event(farewell), ends: true)
        pump()
    }

    /// When a comment has to be written.
    var due: NIODeadline { lastWrite + keepAlive }

    func wrote(now: NIODeadline) { lastWrite = now }

    /// The connection has no more part in the stream: its client has left, or the response has ended.
    func close() {
        guard handler != nil else { return }
        handler = nil
        let unwritten = state.withLock { state in
            defer { state.events = [] }
            state.isClosed = true
            return state.events.count
        }
        owner?.outletClosed(self, unwritten: unwritten)
        owner = nil
    }
}
