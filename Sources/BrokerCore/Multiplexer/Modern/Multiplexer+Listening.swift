// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// A modern client that listens to changes (2026-07-28, subscriptions).
struct Listener: Sendable {
    let sink: any CallSink
    /// The id of its request, which tags everything it is told.
    let id: RawID
    /// Its place in the table of subscriptions.
    let session: SessionKey
    let wanted: ListenFilter
    /// What it was told that it hears of; nil until the server is known.
    var honoured: ListenFilter?
}

extension Multiplexer {
    /// Takes a client that wants to hear of changes; it listens until it is withdrawn.
    mutating func listen(
        _ request: ModernRequest, session: SessionKey, sink: any CallSink, now: ContinuousClock.Instant
    ) -> (Ticket?, Effects) {
        let buffer = request.message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = request.message.envelope.id else { return (nil, Effects()) }
        counters.requests += 1
        let id = RawID(bytes, range)
        let params = request.message.envelope.params.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
        guard let wanted = ListenFilter(params?["notifications"]) else {
            let error = ModernError(
                code: ErrorCode.invalidParams,
                message: "params.notifications must be an object of booleans and, for resources, a list of URIs")
            return (nil, Effects(.finish(sink, error.answer(id: id))))
        }
        if case .down(let ending, retry: nil) = phase {
            let failure = CallFailure.down(server: configuration.server, ending, retryAfter: nil)
            return (nil, Effects(.finish(sink, failure.modernAnswer(id: id, withTail: false))))
        }
        let ticket = nextTicket()
        listeners[ticket] = Listener(sink: sink, id: id, session: session, wanted: wanted)
        var effects = acknowledge(ticket)
        effects.append(retryHandshake())
        return (ticket, effects)
    }

    /// Tells a listener what it will hear of, as soon as that is known.
    private mutating func acknowledge(_ ticket: Ticket) -> Effects {
        guard let identity, isReady, var listener = listeners[ticket], listener.honoured == nil else {
            return Effects()
        }
        let honoured = listener.wanted.honoured(by: identity.capabilities)
        listener.honoured = honoured
        listeners[ticket] = listener
        var effects = Effects(
            .deliver(
                listener.sink,
                LodgeMessage.notification(
                    "notifications/subscriptions/acknowledged",
                    [.init("notifications", honoured.object)], subscription: listener.id)))
        for uri in honoured.resources where !subscriptions.join(listener.session, uri: uri) {
            subscriptions.confirm(listener.session, uri: uri)
            effects.append(upkeep(subscribing: uri))
        }
        return effects
    }

    mutating func acknowledgeListeners() -> Effects {
        var effects = Effects()
        for ticket in listeners.keys.sorted() { effects.append(contentsOf: acknowledge(ticket)) }
        return effects
    }

    /// Takes a listener out whose client left; false where the ticket is no listener's.
    mutating func stopListening(_ ticket: Ticket) -> Effects? {
        guard let listener = listeners.removeValue(forKey: ticket) else { return nil }
        var effects = Effects()
        for uri in subscriptions.removeAll(listener.session) where isReady {
            effects.append(upkeep(unsubscribing: uri))
        }
        return effects
    }

    /// Ends every listener in order, since the server does not come back.
    mutating func endListeners() -> Effects {
        var effects = Effects()
        for (_, listener) in listeners.sorted(by: { $0.key < $1.key }) {
            _ = subscriptions.removeAll(listener.session)
            let result: JSONValue = [
                "resultType": "complete", "_meta": .object([LodgeMessage.subscription(listener.id)]),
            ]
            effects.append(
                .finish(
                    listener.sink,
                    .message(MessageBytes(bytes: MessageBuilder.result(id: listener.id, result.serialized)))))
        }
        listeners = [:]
        return effects
    }

    /// Tells who wants to hear of it that a list has changed, and forgets what was known of it.
    mutating func changed(_ list: ListenFilter.List) -> Effects {
        cache.forget(list)
        var effects = Effects()
        for (_, listener) in listeners.sorted(by: { $0.key < $1.key })
        where listener.honoured?.lists.contains(list) == true {
            effects.append(
                .deliver(listener.sink, LodgeMessage.notification(list.notice, [], subscription: listener.id)))
        }
        return effects
    }

    /// Tells who wants to hear of it that a resource has changed.
    mutating func updated(_ uri: String) -> Effects {
        cache.forget(resource: uri)
        var effects = Effects()
        for (_, listener) in listeners.sorted(by: { $0.key < $1.key })
        where listener.honoured?.resources.contains(uri) == true {
            effects.append(
                .deliver(
                    listener.sink,
                    LodgeMessage.notification(
                        "notifications/resources/updated", [.init("uri", .string(uri))],
                        subscription: listener.id)))
        }
        return effects
    }
}
