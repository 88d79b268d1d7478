// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import NIOCore

extension Multiplexer {
    /// Attaches a session's own stream in place of an older one, and hands it what has been waiting for it.
    ///
    /// - Parameter opened: when the session was opened, if this is its first stream: changes of lists since then are told.
    mutating func streamOpened(
        _ stream: any StreamSink, session: SessionKey, opened: ContinuousClock.Instant
    ) -> Effects {
        var effects = Effects()
        let since = streamsClosed.removeValue(forKey: session) ?? opened
        if let older = streams.updateValue(stream, forKey: session) {
            effects.append(.closeStream(older))
        } else {
            for change in listChanges.values where change.at >= since {
                effects.append(.fanOut([stream], change.notice))
            }
        }
        guard !configuration.isForMany else { return effects }
        for message in outbox.takeAll() { effects.append(.fanOut([stream], message)) }
        return effects
    }

    /// Detaches a stream, unless another has taken its place.
    ///
    /// - Parameters:
    ///   - unseen: what the stream took and its client has not seen; it waits for the next stream, as far as there is room.
    ///   - now: the time until which the client has seen what the stream took.
    mutating func streamClosed(
        _ stream: any StreamSink, session: SessionKey, unseen: [MessageBytes] = [], now: ContinuousClock.Instant
    ) {
        guard let current = streams[session], current === stream else { return }
        streams[session] = nil
        streamsClosed[session] = now
        guard !configuration.isForMany else { return }
        for message in unseen { takeBack(message) }
    }

    /// Puts a message for the one client of this upstream back, unless its question is not open any more.
    private mutating func takeBack(_ message: MessageBytes) {
        let buffer = message.joined()
        let bytes = buffer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(bytes) else { return }
        switch (envelope.kind, envelope.id) {
        case (.request, let id?):
            guard let ticket = RawID.integer(in: bytes, id),
                serverRequests[ticket] != nil || child.questions[ticket] != nil
            else { return }
            _ = outbox.add(request: message, ticket: ticket)
        case (.notification, _): outbox.add(notification: message)
        default: break
        }
    }

    /// Whether a session's client reads its stream at the moment.
    package func hasStream(_ session: SessionKey) -> Bool { streams[session] != nil }

    /// Whether a session holds something that a restarted broker could not know of.
    package func holdsState(_ session: SessionKey) -> Bool {
        levels[session] != nil || subscriptions.holds(session)
    }

    /// Forgets a session: its calls end, its stream closes, its subscriptions are given back.
    mutating func sessionEnded(_ session: SessionKey, now: ContinuousClock.Instant) -> Effects {
        var effects = Effects()
        let calls = pending.filter { $0.value.session == session }
        for (ticket, call) in calls.sorted(by: { $0.key < $1.key }) {
            _ = remove(ticket)
            if call.held == nil { effects.append(.send(LodgeMessage.cancelled(ticket, reason: "the session ended"))) }
            let failure = CallFailure.sessionEnded(server: configuration.server)
            effects.append(contentsOf: finish(call, with: failure, outcome: .cancelled, now: now))
        }
        if let stream = streams.removeValue(forKey: session) { effects.append(.closeStream(stream)) }
        levels[session] = nil
        child.declarations[session] = nil
        streamsClosed[session] = nil
        for uri in subscriptions.removeAll(session) where isReady {
            effects.append(upkeep(unsubscribing: uri))
        }
        return effects
    }
}
