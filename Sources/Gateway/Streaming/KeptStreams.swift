// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import Synchronization

/// The event streams of a gateway that a client may ask for by an event's id, and the time for which those are kept that
/// nobody reads.
///
/// It bounds how many ended streams a session keeps, and ends them when its session does. One timer serves all.
final class KeptStreams: Sendable {
    fileprivate struct Absence {
        let stream: EventStream
        let generation: Int
        let deadline: NIODeadline
    }

    fileprivate struct State {
        var sessions: [String: [EventStream]] = [:]
        /// Streams without a reader, the one that was left first in front. Some have been taken up again since.
        var absences = CircularBuffer<Absence>()
        var isArmed = false
        var isClosed = false
    }

    private let state = Mutex(State())

    func add(_ stream: EventStream) {
        guard let session = stream.session else { return }
        state.withLock { $0.sessions[session, default: []].append(stream) }
    }

    func remove(_ stream: EventStream) {
        guard let session = stream.session else { return }
        state.withLock { $0.remove(stream, of: session) }
    }

    /// The stream of that name, where its session is this one and belongs to this principal.
    func find(_ name: StreamName, session: String, principal: Principal) -> EventStream? {
        let streams = state.withLock { $0.sessions[session] }
        return streams?.first { $0.name == name && $0.principal == principal }
    }

    /// The session's own stream that waits for its client, where there is one.
    func waiting(session: String, principal: Principal) -> EventStream? {
        let streams = state.withLock { $0.sessions[session] }
        return streams?.last { $0.name.kind == .own && $0.principal == principal && $0.isWaiting }
    }

    /// Keeps a stream that nobody reads any more.
    func keep(_ stream: EventStream, _ generation: Int, for limits: GatewayLimits, on eventLoop: any EventLoop) {
        let deadline = NIODeadline.now() + limits.replayFor
        let (surplus, isFirst, isClosed) = state.withLock { state in
            state.absences.append(Absence(stream: stream, generation: generation, deadline: deadline))
            defer { state.isArmed = true }
            return (state.surplus(beside: stream, limit: limits.replayStreams), !state.isArmed, state.isClosed)
        }
        surplus?.forget()
        if isClosed { return stream.forget() }
        if isFirst { arm(deadline, on: eventLoop) }
    }

    private func arm(_ deadline: NIODeadline, on eventLoop: any EventLoop) {
        eventLoop.scheduleTask(deadline: deadline) { self.tick(on: eventLoop) }
    }

    private func tick(on eventLoop: any EventLoop) {
        let now = NIODeadline.now()
        let (over, next) = state.withLock { state in
            var over: [Absence] = []
            while let first = state.absences.first, first.deadline <= now {
                over.append(first)
                state.absences.removeFirst()
            }
            state.isArmed = !state.absences.isEmpty
            return (over, state.absences.first?.deadline)
        }
        for absence in over { absence.stream.expire(absence.generation) }
        if let next { arm(next, on: eventLoop) }
    }

    /// Forgets ended streams, the oldest first, until the gateway holds no more than it may.
    func makeRoom(limit: Int, meters: GatewayMeters) {
        let ended = state.withLock { state in
            let ended = state.absences.filter { $0.stream.hasEnded }
            return ended.map(\.stream)
        }
        for stream in ended where meters.replayBytes.load(ordering: .relaxed) > limit {
            remove(stream)
            stream.forget()
        }
    }

    /// A session has ended: nothing of it can be asked for any more.
    func forget(session: String) {
        let streams = state.withLock { $0.sessions.removeValue(forKey: session) }
        for stream in streams ?? [] { stream.forget() }
    }

    /// The gateway has shut down: what is kept or comes to be kept is given up.
    func closeAll() {
        let streams = state.withLock { state in
            defer { (state.sessions, state.isClosed) = ([:], true) }
            state.absences.removeAll()
            return state.sessions.values.flatMap(\.self)
        }
        for stream in streams { stream.forget() }
    }
}

extension KeptStreams.State {
    fileprivate mutating func remove(_ stream: EventStream, of session: String) {
        guard let index = sessions[session]?.firstIndex(where: { $0 === stream }) else { return }
        sessions[session]?.remove(at: index)
        if sessions[session]?.isEmpty == true { sessions[session] = nil }
    }

    /// Takes out the oldest ended stream of a session that has too many of them.
    fileprivate mutating func surplus(beside stream: EventStream, limit: Int) -> EventStream? {
        guard let session = stream.session, let all = sessions[session], all.count > limit else { return nil }
        let ended = all.filter(\.hasEnded)
        guard ended.count > limit, let oldest = ended.first else { return nil }
        remove(oldest, of: session)
        return oldest
    }
}
