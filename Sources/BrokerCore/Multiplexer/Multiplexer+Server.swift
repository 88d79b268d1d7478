// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore

extension Multiplexer {
    /// Takes one message of the server's current generation.
    mutating func received(_ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        switch message.envelope.kind {
        case .response, .errorResponse: answered(message, now: now)
        case .request: requested(message, now: now)
        case .notification: notified(message, now: now)
        case .batch, .invalid, .notAnObject: Effects(.log(.unroutedNotification(method: "")))
        }
    }

    /// Takes a line of the server that is too long or not valid, of which at most the id could be read.
    mutating func receivedUnusable(
        ticket: Ticket?, problem: String, now: ContinuousClock.Instant
    ) -> Effects {
        guard let ticket else { return Effects() }
        if own[ticket] != nil {
            return handshakeAnswer(ticket, failure: "the server answered with \(problem)", now: now)
        }
        let failure = CallFailure.unusable(server: configuration.server, problem)
        // As for answers: a server cannot know a ticket that it was not sent.
        if let waiting = initializing[ticket], waiting.held == nil, !configuration.ownHandshake {
            initializing[ticket] = nil
            return Effects(.finish(waiting.sink, .message(failure.answer(id: waiting.id))))
        }
        guard let call = pending[ticket], call.held == nil else { return Effects() }
        pending[ticket] = nil
        if call.modern != nil { _ = keep(.failed(failure), of: ticket) }
        return finish(call, with: failure, outcome: .failed, now: now)
    }

    // MARK: Answers

    private mutating func answered(_ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.id, let ticket = RawID.integer(in: bytes, range) else {
            counters.unknownAnswers += 1
            return Effects(.log(.unknownAnswer(id: message.envelope.text(message.envelope.id, in: bytes))))
        }
        if let call = pending[ticket], call.modern != nil, call.held == nil,
            keep(.answered(message, lacking: call.lacking), of: ticket)
        {
            pending[ticket] = nil
            // Kept for its client, which is to come back for it.
            var effects = Effects()
            let outcome: CallRecord.Outcome = message.envelope.kind == .response ? .answered : .error
            effects.append(ended(call, outcome, answerBytes: message.bytes.readableBytes, now: now))
            return effects
        }
        if let call = pending.removeValue(forKey: ticket) {
            guard call.held == nil else {
                // A server cannot know a ticket that it was not sent; the call goes on.
                pending[ticket] = call
                counters.unknownAnswers += 1
                return Effects(.log(.unknownAnswer(id: "\(ticket)")))
            }
            return answered(call, message, now: now)
        }
        if let waiting = initializing[ticket], waiting.held == nil, !configuration.ownHandshake {
            initializing[ticket] = nil
            return clientHandshakeAnswered(waiting, message)
        }
        if own[ticket] != nil { return ownAnswered(ticket, message, now: now) }
        if given.remove(ticket) {
            counters.lateAnswers += 1
            return Effects(.log(.lateAnswer(ticket: ticket)))
        }
        counters.unknownAnswers += 1
        return Effects(.log(.unknownAnswer(id: "\(ticket)")))
    }

    private mutating func answered(
        _ call: PendingCall, _ message: ServerMessage, now: ContinuousClock.Instant
    ) -> Effects {
        let succeeded = message.envelope.kind == .response
        var effects = Effects(.answer(call, message))
        if succeeded {
            switch call.purpose {
            case .subscribe(let uri): subscriptions.confirm(call.session, uri: uri)
            case .unsubscribe(let uri):
                // Somebody's subscription was on its way when the server was asked to end it.
                if !subscriptions.subscribers(of: uri).isEmpty { effects.append(upkeep(subscribing: uri)) }
            case .setLevel(let level): levels[call.session] = level
            case .relay, .listTools, .limitedResult: break
            }
        }
        effects.append(
            ended(call, succeeded ? .answered : .error, answerBytes: message.bytes.readableBytes, now: now))
        return effects
    }

    // MARK: Requests of the server

    /// Whether what the server asks and tells by itself belongs to a call of a modern client.
    private var isForModernClients: Bool {
        switch configuration.audience {
        case .principal: true
        case .call: pending.contains { $0.value.modern != nil }
        case .everybody, .session: false
        }
    }

    private mutating func requested(_ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.id else { return Effects() }
        let id = RawID(bytes, range)
        if ServerMethod(message.envelope, in: bytes) == .ping {
            return Effects(.send(LodgeMessage.emptyResult(id: id)))
        }
        if isForModernClients {
            let method = message.envelope.method.flatMap { JSONString.decode(bytes, contents: $0) } ?? ""
            return asked(message, id: id, method: method, now: now)
        }
        guard configuration.hasOneClient else {
            let method = message.envelope.text(message.envelope.method, in: bytes)
            var effects = Effects(
                .send(
                    LodgeMessage.error(
                        id: id, code: -32601, message: "the client did not declare what '\(method)' needs")))
            effects.append(.log(.refusedServerRequest(method: method)))
            return effects
        }
        let ticket = nextTicket()
        let request = LodgeMessage.replacing(range, with: RawID(ticket), in: message)
        let deadline = now.advanced(by: configuration.callTimeout)
        serverRequests[ticket] = ServerRequest(id: id, deadline: deadline)
        var effects = toTheClient(request, keep: true) ?? Effects()
        if effects.isEmpty, !outbox.add(request: request, ticket: ticket) {
            serverRequests[ticket] = nil
            effects.append(
                .send(LodgeMessage.error(id: id, code: -32000, message: "the client has no way to be asked")))
        }
        effects.append(arm(deadline))
        return effects
    }

    // MARK: Notifications of the server

    private mutating func notified(_ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        switch ServerMethod(message.envelope, in: bytes) {
        case .progress:
            return progressed(message, now: now)
        case .cancelled:
            return serverCancelled(message)
        case .listChanged:
            if configuration.audience == .session { return toTheClient(message) }
            let notice = LodgeMessage.oneLine(message)
            var effects = Effects()
            // Decoded, so that a method spelled with escapes is no list of its own.
            if let method = message.envelope.method, let name = JSONString.decode(bytes, contents: method) {
                listChanges[RawID(Array(name.utf8))] = (notice, now)
                if let list = ListenFilter.List(notice: name) { effects = changed(list) }
            }
            if !streams.isEmpty { effects.append(.fanOut(Array(streams.values), notice)) }
            return effects
        case .resourceUpdated where configuration.audience != .session:
            guard let uri = message.envelope.string(message.envelope.uri, in: bytes) else { return Effects() }
            var effects = updated(uri)
            let interested = subscriptions.subscribers(of: uri).compactMap { streams[$0] }
            if !interested.isEmpty { effects.append(.fanOut(interested, LodgeMessage.oneLine(message))) }
            return effects
        case .message where isForModernClients:
            if let sink = listener(to: message.envelope.logLevel(in: bytes)) {
                return Effects(.deliver(sink, LodgeMessage.oneLine(message)))
            }
            return Effects(.log(.serverLogMessage(text: message.envelope.text(message.envelope.params, in: bytes))))
        case .message where configuration.isForMany:
            return Effects(.log(.serverLogMessage(text: message.envelope.text(message.envelope.params, in: bytes))))
        case .message, .resourceUpdated, .ping, .other:
            guard configuration.hasOneClient else {
                let method = message.envelope.text(message.envelope.method, in: bytes)
                return Effects(.log(.unroutedNotification(method: method)))
            }
            return toTheClient(message)
        }
    }

    private mutating func progressed(_ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.paramsProgressToken, let ticket = RawID.integer(in: bytes, range),
            let index = pending.index(forKey: ticket), pending.values[index].held == nil,
            let token = pending.values[index].token
        else { return Effects(.log(.unroutedNotification(method: "notifications/progress"))) }
        // A call that waits for its client has that client's time.
        if !isWaiting(ticket) { pending.values[index].deadline = now.advanced(by: configuration.callTimeout) }
        return Effects(.progress(pending.values[index].sink, token: token, message))
    }

    private mutating func serverCancelled(_ message: ServerMessage) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.requestID else { return Effects() }
        let id = RawID(bytes, range)
        guard let ticket = serverRequests.first(where: { $0.value.id == id })?.key else { return Effects() }
        serverRequests[ticket] = nil
        if configuration.audience == .principal { return withdrawQuestion(ticket) }
        if outbox.remove(ticket) { return Effects() }
        return toTheClient(LodgeMessage.replacing(range, with: RawID(ticket), in: message), keep: false) ?? Effects()
    }

    // MARK: The way to the one client of an upstream

    private mutating func toTheClient(_ message: ServerMessage) -> Effects {
        toTheClient(LodgeMessage.oneLine(message), keep: false) ?? Effects()
    }

    /// Sends a message to the client that this upstream belongs to.
    ///
    /// A call in flight carries it, the newest first, since that keeps it in order with that call's answer; else the
    /// session's own stream, and else a call whose client may come back to it. Without any of them, a notification waits
    /// for the stream and a request for whichever comes.
    private mutating func toTheClient(_ message: MessageBytes, keep isRequest: Bool) -> Effects? {
        let carrier = pending.filter { $0.value.held == nil && $0.value.sink.acceptsStream }.max { $0.key < $1.key }
        if let carrier { return Effects(.deliver(carrier.value.sink, message)) }
        if let stream = streams.values.first { return Effects(.fanOut([stream], message)) }
        let keeper = pending.filter { $0.value.held == nil && $0.value.sink.keepsMessages }.max { $0.key < $1.key }
        if let keeper { return Effects(.deliver(keeper.value.sink, message)) }
        if !isRequest { outbox.add(notification: message) }
        return nil
    }
}
