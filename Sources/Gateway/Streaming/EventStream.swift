// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// Whoever has messages for an ``EventStream``. It is called on any thread, outside the stream's lock.
protocol EventStreamOwner: AnyObject, Sendable {
    /// Whether the stream has nothing to wait for when the gateway shuts down.
    var endsAtShutdown: Bool { get }
    /// What such a stream is told at its end then; nil where there is nothing to say.
    var farewell: MessageBytes? { get }
    /// The client reads the stream, or has left it and may come back.
    func streamIsRead(_ isRead: Bool)
    /// The client has taken a comment.
    func streamWasTaken()
    /// The client has left and will not come back; `unseen` is what was meant for it since `time`.
    func streamWasGivenUp(unseen: [MessageBytes], since time: ContinuousClock.Instant)
}

extension EventStreamOwner {
    var farewell: MessageBytes? { nil }
}

/// One event stream of a session, which its client can lose and take up again (`Last-Event-ID`).
///
/// It is not a connection: an ``EventOutlet`` is, one at a time. Without one the stream is kept for a while, and takes
/// messages on; then it is given up. A stream without a session cannot be found again, and is given up at once.
///
/// Its lock is taken before an outlet's; nobody else is called under it.
final class EventStream: OutletOwner {
    enum Resumption: Sendable, Equatable { case resumed, dropped, unknown }

    private struct State {
        var replay = ReplayBuffer()
        var outlet: EventOutlet?
        var owner: (any EventStreamOwner)?
        /// The number of the last event that an outlet was given.
        var given = 0
        /// The number of the last event that reached a connection, where there is no outlet now.
        var written = 0
        /// Since when there is no outlet.
        var leftAt = ContinuousClock.Instant.now
        /// Nothing follows; what was can be read again.
        var isEnded = false
        /// Nobody can read it again. Final.
        var isOver = false
        /// Whether it is kept when its client leaves.
        var isKept: Bool
        /// Changes with every outlet, so that a time limit knows which absence it is for.
        var generation = 0
    }

    let name: StreamName
    /// The session and its principal; nil for a stream that nobody can find again.
    let session: String?
    let principal: Principal
    private let core: GatewayCore
    private let state: Mutex<State>

    init(_ kind: StreamName.Kind, session: String?, principal: Principal, core: GatewayCore) {
        name = StreamName(kind)
        self.session = session
        self.principal = principal
        self.core = core
        state = Mutex(State(isKept: session != nil))
    }

    deinit { core.meters.replayBytes.subtract(state.withLock { $0.replay.bytes }, ordering: .relaxed) }

    /// Opens the stream with its first outlet.
    func open(_ outlet: EventOutlet, owner: any EventStreamOwner) {
        state.withLock { state in
            state.outlet = outlet
            state.owner = owner
        }
        core.streams.add(self)
    }

    // MARK: Messages, on any thread

    /// Takes a message; false where the stream has ended, or its client was too far behind.
    func add(_ message: MessageBytes, ends: Bool = false) -> Bool {
        let (isTaken, outlet, loser) = state.withLock { state in take(message, ends: ends, &state) }
        outlet?.pump()
        loser?.streamWasGivenUp(unseen: [], since: .now)
        if loser != nil { core.streams.remove(self) }
        if core.meters.replayBytes.load(ordering: .relaxed) > core.limits.replayBytesInAll { makeRoom() }
        return isTaken
    }

    private func take(
        _ message: MessageBytes, ends: Bool, _ state: inout State
    ) -> (isTaken: Bool, EventOutlet?, loser: (any EventStreamOwner)?) {
        guard !state.isEnded, !state.isOver else { return (false, nil, nil) }
        let event: MessageBytes
        if state.isKept {
            event = EventFraming.event(message, id: EventID(name, state.replay.last + 1))
            let before = state.replay.bytes
            state.replay.append(
                event, maximumEvents: core.limits.replayEvents, maximumBytes: core.limits.replayBytes)
            core.meters.replayBytes.add(state.replay.bytes - before, ordering: .relaxed)
        } else {
            event = EventFraming.event(message)
        }
        if ends { state.isEnded = true }
        let outlet = state.outlet
        switch outlet?.enqueue(event, ends: ends) {
        case .taken: state.given = state.replay.last
        // What nobody reads fast enough is not worth keeping: its client has to look at everything again.
        case .fellBehind where name.kind == .own: return (false, nil, end(&state))
        case .fellBehind, .closed, nil: break
        }
        if ends { state.owner = nil }
        return (state.isKept || outlet != nil, outlet, nil)
    }

    /// Takes the owner off a stream that nobody will read again.
    private func end(_ state: inout State) -> (any EventStreamOwner)? {
        state.isOver = true
        state.outlet = nil
        state.generation += 1
        core.meters.replayBytes.subtract(state.replay.bytes, ordering: .relaxed)
        state.replay.free(state.replay.bytes)
        return state.owner.take()
    }

    /// Ends the stream behind what it took; it can be read again for a while.
    func end() {
        let outlet = state.withLock { state in
            state.isEnded = true
            state.owner = nil
            return state.outlet
        }
        outlet?.end()
    }

    /// The gateway holds too many bytes: what has ended goes first, then what is oldest here.
    private func makeRoom() {
        core.streams.makeRoom(limit: core.limits.replayBytesInAll, meters: core.meters)
        let excess = core.meters.replayBytes.load(ordering: .relaxed) - core.limits.replayBytesInAll
        guard excess > 0 else { return }
        state.withLock { state in
            let before = state.replay.bytes
            state.replay.free(excess)
            core.meters.replayBytes.subtract(before - state.replay.bytes, ordering: .relaxed)
        }
    }

    // MARK: Clients that come back

    /// Goes on in another response: with what follows that event, or with what no connection has had.
    func resume(_ outlet: EventOutlet, after number: Int?) -> Resumption {
        let (resumption, older, owner) = state.withLock { state in attach(outlet, after: number, &state) }
        older?.abort()
        owner?.streamIsRead(true)
        return resumption
    }

    private func attach(
        _ outlet: EventOutlet, after number: Int?, _ state: inout State
    ) -> (Resumption, older: EventOutlet?, (any EventStreamOwner)?) {
        guard !state.isOver, number != nil || state.outlet == nil && !state.isEnded else { return (.unknown, nil, nil) }
        // A client that names no event misses none that it could know of.
        switch number.map(state.replay.events(after:)) ?? .events(state.replay.rest(after: state.written)) {
        case .dropped: return (.dropped, nil, nil)
        case .unknown: return (.unknown, nil, nil)
        case .events(let events):
            let older = state.outlet
            state.outlet = outlet
            state.generation += 1
            for event in events { _ = outlet.enqueue(event) }
            state.given = state.replay.last
            if state.isEnded { outlet.end() }
            return (.resumed, older, state.owner)
        }
    }

    /// Whether a client that opens the stream anew would find it waiting.
    var isWaiting: Bool { state.withLock { !$0.isOver && !$0.isEnded && $0.outlet == nil } }

    /// Whether nothing but a client's coming back keeps it.
    var hasEnded: Bool { state.withLock { $0.isEnded && $0.outlet == nil } }

    /// The time for which it was kept is over; without effect where its client has come back.
    func expire(_ generation: Int) {
        let (isOver, owner, unseen, time) = state.withLock { state in
            guard state.generation == generation, state.outlet == nil, !state.isOver else {
                return (false, nil as (any EventStreamOwner)?, [MessageBytes](), state.leftAt)
            }
            let unseen = state.isEnded ? [] : state.replay.rest(after: state.written)
            return (true, end(&state), unseen, state.leftAt)
        }
        guard isOver else { return }
        core.streams.remove(self)
        owner?.streamWasGivenUp(unseen: unseen.map { EventFraming.message(in: $0) }, since: time)
    }

    /// The session has ended: what is being read is read to its end, and nothing is kept.
    func forget() {
        let owner = state.withLock { state in
            state.isKept = false
            return state.outlet == nil && !state.isOver ? end(&state) : nil
        }
        owner?.streamWasGivenUp(unseen: [], since: .now)
    }

    // MARK: OutletOwner

    var endsAtShutdown: Bool { state.withLock { $0.owner }?.endsAtShutdown ?? true }
    var farewell: MessageBytes? { state.withLock { $0.owner }?.farewell }

    func outletWasTaken(_ outlet: EventOutlet) { state.withLock { $0.owner }?.streamWasTaken() }

    func outletClosed(_ outlet: EventOutlet, unwritten: Int) {
        let (generation, owner, loser) = state.withLock { state in
            guard state.outlet === outlet else {
                return (nil as Int?, nil as (any EventStreamOwner)?, nil as (any EventStreamOwner)?)
            }
            state.outlet = nil
            state.written = state.given - unwritten
            state.leftAt = .now
            state.generation += 1
            guard state.isKept else { return (nil, nil, end(&state)) }
            return (state.generation, state.owner, nil)
        }
        if let generation {
            owner?.streamIsRead(false)
            core.streams.keep(self, generation, for: core.limits, on: outlet.eventLoop)
        } else if let loser {
            loser.streamWasGivenUp(unseen: [], since: .now)
        }
    }
}
