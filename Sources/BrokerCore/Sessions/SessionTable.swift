// SPDX-License-Identifier: Apache-2.0
package import MCPProtocol

/// A session's place in this process: a number that is never used twice.
package struct SessionKey: Hashable, Sendable {
    package let number: UInt64

    /// No session and no request: numbers count from one.
    static let nobody = SessionKey(number: 0)
}

/// How long sessions live and how many there may be.
package struct SessionLimits: Sendable, Equatable {
    /// Without a request or an open stream that takes our writes.
    package var idle: Duration = .seconds(30 * 60)
    package var absolute: Duration = .seconds(24 * 3600)
    package var cap = 10_000
    /// A session idle for less is never put out to make room.
    package var evictableAfter: Duration = .seconds(60)

    package init() {}

    fileprivate func areOver(
        opened: ContinuousClock.Instant, lastUsed: ContinuousClock.Instant, now: ContinuousClock.Instant
    ) -> Bool {
        lastUsed.duration(to: now) >= idle || opened.duration(to: now) >= absolute
    }
}

/// What one server knows of its legacy sessions in this process: who holds them and how long they live.
///
/// It does not sign or verify ids, and it does not know what a session's upstream does. `Attachment` is whatever the
/// owner keeps with a session. Invariants:
/// 1. a session is found only by the principal that opened it; to any other it does not exist;
/// 2. an ended session never comes back: its id stands in no table, and nothing else makes an id good;
/// 3. there are never more than `limits.cap` sessions: the one idle longest makes room, if it has been idle a minute.
package struct SessionTable<Attachment: Sendable>: Sendable {
    package struct Session: Sendable {
        package let key: SessionKey
        package let principal: Principal
        package let protocolVersion: ProtocolVersion
        package let opened: ContinuousClock.Instant
        package var lastUsed: ContinuousClock.Instant
        package var attachment: Attachment
    }

    /// What came of an attempt to open a session.
    package enum Opening: Sendable {
        case opened(SessionKey, evicted: Session?)
        /// Every session is in use.
        case full
    }

    private let limits: SessionLimits
    private var sessions: [String: Session] = [:]
    private var lastKey: UInt64 = 0
    /// When a client last sent something that was taken, an `initialize` that opened a session included.
    package private(set) var lastActivity: ContinuousClock.Instant?

    package init(limits: SessionLimits = SessionLimits()) { self.limits = limits }

    package var count: Int { sessions.count }

    /// Every session, in no order.
    package var all: some Collection<Session> { sessions.values }

    package mutating func open(
        id: String, principal: Principal, protocolVersion: ProtocolVersion, attachment: Attachment,
        now: ContinuousClock.Instant
    ) -> Opening {
        var evicted: Session?
        if sessions.count >= limits.cap {
            evicted = makeRoom(now: now)
            guard evicted != nil else { return .full }
        }
        lastKey += 1
        let key = SessionKey(number: lastKey)
        sessions[id] = Session(
            key: key, principal: principal, protocolVersion: protocolVersion, opened: now, lastUsed: now,
            attachment: attachment)
        lastActivity = now
        return .opened(key, evicted: evicted)
    }

    /// Finds a session for something that its client sent, and notes both; nil where it is unknown, another's, or over
    /// its time.
    package mutating func use(id: String, principal: Principal, now: ContinuousClock.Instant) -> Session? {
        guard let session = touch(id: id, principal: principal, now: now) else { return nil }
        lastActivity = now
        return session
    }

    /// Notes that a client sent something that belongs to no session.
    package mutating func noteActivity(now: ContinuousClock.Instant) { lastActivity = now }

    /// Finds a session and notes that its client is there, though it sent nothing.
    package mutating func touch(id: String, principal: Principal, now: ContinuousClock.Instant) -> Session? {
        guard let index = sessions.index(forKey: id) else { return nil }
        let session = sessions.values[index]
        guard session.principal == principal, !isOver(session, now: now) else { return nil }
        sessions.values[index].lastUsed = now
        return session
    }

    /// Finds a session without noting a use.
    package func find(id: String, principal: Principal, now: ContinuousClock.Instant) -> Session? {
        guard let session = sessions[id], session.principal == principal, !isOver(session, now: now) else {
            return nil
        }
        return session
    }

    private func isOver(_ session: Session, now: ContinuousClock.Instant) -> Bool {
        limits.areOver(opened: session.opened, lastUsed: session.lastUsed, now: now)
    }

    package mutating func end(id: String) -> Session? { sessions.removeValue(forKey: id) }

    /// Ends every session for which the condition holds, and answers them.
    package mutating func end(where condition: (Session) -> Bool) -> [Session] {
        let ids = sessions.filter { condition($0.value) }.map(\.key)
        return ids.compactMap { end(id: $0) }
    }

    /// Ends the session that has been idle longest, if it has been idle long enough to be put out.
    package mutating func makeRoom(now: ContinuousClock.Instant) -> Session? {
        guard let oldest = sessions.min(by: { $0.value.lastUsed < $1.value.lastUsed }),
            oldest.value.lastUsed.duration(to: now) >= limits.evictableAfter
        else { return nil }
        return end(id: oldest.key)
    }

    /// Ends what is over its time; a call in flight counts as use.
    package mutating func sweep(
        now: ContinuousClock.Instant, isBusy: (Session) -> Bool = { _ in false }
    ) -> [Session] {
        for index in sessions.values.indices where isBusy(sessions.values[index]) {
            sessions.values[index].lastUsed = now
        }
        let limits = limits
        return end { limits.areOver(opened: $0.opened, lastUsed: $0.lastUsed, now: now) }
    }
}
