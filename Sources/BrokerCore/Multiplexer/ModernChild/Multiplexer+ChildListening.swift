// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Changes that a modern server tells of: Lodge listens, one stream for all lists and one for each resource
/// (2026-07-28, subscriptions).
extension Multiplexer {
    /// A stream that the server ended is opened again only where it had lasted this long; else with the next generation.
    private static let leastLife = Duration.seconds(60)

    /// Listens to the lists that the server declares to change.
    mutating func listenToLists(now: ContinuousClock.Instant) -> Effect? {
        guard let lists = child.server?.changingLists, !lists.isEmpty else { return nil }
        return open(.lists, ListenFilter(lists: lists, resources: []), now: now)
    }

    /// Listens to everything that somebody wants to hear of, in a new generation.
    mutating func listenToEverything(now: ContinuousClock.Instant) -> Effects {
        var effects = Effects()
        effects.append(listenToLists(now: now))
        for uri in subscriptions.uris { effects.append(listen(toResource: uri, now: now)) }
        return effects
    }

    mutating func listen(toResource uri: String, now: ContinuousClock.Instant) -> Effect? {
        guard child.server?.tellsOfResources == true,
            !child.listening.values.contains(where: { $0.subject == .resource(uri: uri) })
        else { return nil }
        return open(.resource(uri: uri), ListenFilter(lists: [], resources: [uri]), now: now)
    }

    private mutating func open(
        _ subject: ModernChild.Listening.Subject, _ filter: ListenFilter, now: ContinuousClock.Instant
    ) -> Effect {
        let ticket = nextTicket()
        own[ticket] = .listen
        child.listening[ticket] = .init(subject: subject, opened: now)
        return .send(
            LodgeMessage.modernRequest(
                ticket, "subscriptions/listen", [.init("notifications", filter.object)], as: ownDeclaration))
    }

    mutating func stopListening(toResource uri: String) -> Effect? {
        guard let ticket = child.listening.first(where: { $0.value.subject == .resource(uri: uri) })?.key else {
            return nil
        }
        child.listening[ticket] = nil
        own[ticket] = nil
        // A server may answer what was cancelled before it read so.
        given.insert(ticket)
        return .send(LodgeMessage.cancelled(ticket, reason: "nobody subscribes any more"))
    }

    /// The server ended a stream.
    mutating func listeningEnded(_ ticket: Ticket, failed: Bool, now: ContinuousClock.Instant) -> Effects {
        own[ticket] = nil
        guard let ended = child.listening.removeValue(forKey: ticket) else { return Effects() }
        guard !failed, isReady, ended.opened.duration(to: now) >= Self.leastLife else { return Effects() }
        var effects = Effects()
        switch ended.subject {
        case .lists: effects.append(listenToLists(now: now))
        case .resource(let uri):
            if !subscriptions.subscribers(of: uri).isEmpty { effects.append(listen(toResource: uri, now: now)) }
        }
        return effects
    }

    /// Takes a notice that came on one of our streams.
    mutating func heard(
        _ message: ServerMessage, on ticket: Ticket, now: ContinuousClock.Instant
    ) -> Effects {
        guard let stream = child.listening[ticket], let method = message.method else { return Effects() }
        switch stream.subject {
        case .lists:
            guard let list = ListenFilter.List(notice: method) else { return unrouted(method) }
            let notice = LodgeMessage.untagged(message, method: method)
            if configuration.audience == .session {
                return toTheClient(notice, keep: false) ?? Effects()
            }
            listChanges[RawID(Array(method.utf8))] = (notice, now)
            var effects = changed(list)
            if !streams.isEmpty { effects.append(.fanOut(Array(streams.values), notice)) }
            return effects
        case .resource(let uri):
            guard method == "notifications/resources/updated" else { return unrouted(method) }
            let notice = LodgeMessage.untagged(message, method: method)
            if configuration.audience == .session {
                return toTheClient(notice, keep: false) ?? Effects()
            }
            var effects = updated(uri)
            let interested = subscriptions.subscribers(of: uri).compactMap { streams[$0] }
            if !interested.isEmpty { effects.append(.fanOut(interested, notice)) }
            return effects
        }
    }

    func unrouted(_ method: String) -> Effects { Effects(.log(.unroutedNotification(method: method))) }
}

extension ServerMessage {
    /// The method, decoded.
    var method: String? {
        let buffer = bytes
        return envelope.method.flatMap { JSONString.decode(buffer.readableBytesUInt8Span, contents: $0) }
    }
}
