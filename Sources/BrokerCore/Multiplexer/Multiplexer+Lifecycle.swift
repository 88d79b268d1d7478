// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

extension Multiplexer {
    /// A generation of the server runs and can be written to.
    mutating func generationStarted(now: ContinuousClock.Instant) -> Effects {
        phase = .starting
        counters.generations += 1
        initialized = nil
        handshakeFailed = false
        toldInitialized = false
        identity = nil
        serverLevel = nil
        annotatedTools = AnnotatedTools()
        taskOwners = TaskOwners()
        cache.forgetAll()
        own = [:]
        given.removeAll()
        child.forgetGeneration()
        var effects = Effects()
        // What waited before this generation could not be given to its timer.
        if let armed { effects.append(.arm(armed)) }
        if configuration.ownHandshake {
            effects.append(askWhoItIs())
            return effects
        }
        for (ticket, waiting) in initializing.sorted(by: { $0.key < $1.key }) {
            guard let message = waiting.held else { continue }
            initializing[ticket]?.held = nil
            effects.append(.forward(message, ticket))
        }
        return effects
    }

    /// The generation ended, or one could not be started; `retry` is the next attempt, nil where there is none.
    mutating func generationEnded(
        _ ending: Ending, retry: ContinuousClock.Instant?, now: ContinuousClock.Instant
    ) -> Effects {
        let wasHolding = phaseHolds
        phase = .down(ending, retry: retry)
        initialized = nil
        identity = nil
        cache.forgetAll()
        own = [:]
        child.forgetGeneration()
        serverRequests = [:]
        var effects = Effects()
        let retryAfter = retry.map { now.duration(to: $0) }
        for (ticket, call) in pending.sorted(by: { $0.key < $1.key }) {
            if call.held != nil, child.asking[ticket] == nil {
                // Held calls that came while the server was up have not seen an attempt yet.
                guard wasHolding || retry == nil else { continue }
                let failure = CallFailure.down(server: configuration.server, ending, retryAfter: retryAfter)
                effects.append(contentsOf: finish(call, with: failure, outcome: .failed, now: now))
            } else {
                let failure = CallFailure.ended(server: configuration.server, ending)
                if call.modern != nil { _ = keep(.failed(failure), of: ticket) }
                effects.append(contentsOf: finish(call, with: failure, outcome: .failed, now: now))
            }
            pending[ticket] = nil
        }
        held.removeAll { pending[$0] == nil }
        outbox = Outbox()
        if retry == nil { effects.append(contentsOf: endListeners()) }
        effects.append(contentsOf: refuseInitializing(ending, retryAfter: retryAfter))
        return effects
    }

    /// Whether a call that came now would wait for the attempt that is under way.
    private var phaseHolds: Bool {
        switch phase {
        case .idle, .starting, .down: true
        case .ready: false
        }
    }

    private mutating func refuseInitializing(_ ending: Ending, retryAfter: Duration?) -> Effects {
        var effects = Effects()
        for (_, waiting) in initializing.sorted(by: { $0.key < $1.key }) {
            effects.append(.finish(waiting.sink, unavailable(waiting.id, ending, retryAfter: retryAfter)))
        }
        initializing = [:]
        return effects
    }

    private func unavailable(_ id: RawID, _ ending: Ending, retryAfter: Duration?) -> Answer {
        let failure = CallFailure.down(server: configuration.server, ending, retryAfter: retryAfter)
        let seconds = retryAfter.map { Int(($0.milliseconds + 999) / 1000) } ?? 30
        return .unavailable(
            failure.answer(id: id, withTail: configuration.showsStderrTail), retryAfter: max(1, seconds))
    }

    // MARK: Lodge's own handshake

    private static let noVersion = "the answer to initialize names no protocolVersion"

    private mutating func askWhoItIs() -> Effect {
        configuration.era == .modern ? askDiscovery() : askInitialize()
    }

    private mutating func askInitialize() -> Effect {
        let ticket = nextTicket()
        own[ticket] = .initialize
        return .send(
            LodgeMessage.initialize(
                ticket: ticket, clientVersion: configuration.clientVersion,
                capabilities: (try? JSONValue.parse(configuration.declaredCapabilities)) ?? [:]))
    }

    mutating func askForProof() -> Effect {
        let ticket = nextTicket()
        own[ticket] = .proof
        guard configuration.era == .legacy else {
            return .send(LodgeMessage.modernRequest(ticket, "tools/list", as: ownDeclaration))
        }
        return .send(LodgeMessage.listTools(ticket: ticket))
    }

    /// The server lives but refused Lodge's handshake: whoever comes next is a new attempt.
    mutating func retryHandshake() -> Effect? {
        guard case .starting = phase, handshakeFailed, configuration.ownHandshake else { return nil }
        handshakeFailed = false
        return initialized == nil ? askWhoItIs() : askForProof()
    }

    mutating func ownAnswered(_ ticket: Ticket, _ message: ServerMessage, now: ContinuousClock.Instant) -> Effects {
        if configuration.era == .modern { return ownAnsweredByModern(ticket, message, now: now) }
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard message.envelope.kind == .response else {
            let text = message.envelope.text(message.envelope.error, in: bytes)
            return handshakeAnswer(ticket, failure: text, error: message, now: now)
        }
        guard own[ticket] == .initialize else { return handshakeAnswer(ticket, failure: nil, now: now) }
        guard let result = message.envelope.result, let raw = message.envelope.protocolVersion,
            let version = message.envelope.string(raw, in: bytes),
            let slice = LodgeMessage.withoutLineBreaks(message.bytes, message.envelope).slice(of: result)
        else { return handshakeAnswer(ticket, failure: Self.noVersion, now: now) }
        initialized = Initialized(
            result: slice, versionRange: raw.lowerBound - result.lowerBound..<raw.upperBound - result.lowerBound,
            version: version)
        if let result = try? JSONValue.parse(slice.readableBytesUInt8Span) {
            identity = ServerIdentity(
                discovery: Discovery.result(
                    from: result, withholding: configuration.audience.withheldCapabilities, caching: .never))
        }
        toldInitialized = true
        var effects = Effects(.send(LodgeMessage.notification("notifications/initialized")))
        if configuration.provesTools, LodgeMessage.declaresTools(slice) {
            own[ticket] = nil
            effects.append(askForProof())
        } else {
            effects.append(contentsOf: handshakeAnswer(ticket, failure: nil, now: now))
        }
        effects.append(contentsOf: letIn())
        return effects
    }

    /// Ends one own request; the handshake is over with the last of its two.
    mutating func handshakeAnswer(
        _ ticket: Ticket, failure: String?, error: ServerMessage? = nil, now: ContinuousClock.Instant
    ) -> Effects {
        guard let request = own.removeValue(forKey: ticket), request != .upkeep, request != .listen else {
            child.listening[ticket] = nil
            return Effects()
        }
        if let failure {
            handshakeFailed = true
            var effects = Effects()
            for (_, waiting) in initializing.sorted(by: { $0.key < $1.key }) {
                effects.append(.finish(waiting.sink, .message(handshakeError(waiting.id, failure, error))))
            }
            initializing = [:]
            // This was the one attempt that the calls waited for.
            for ticket in held {
                guard let call = pending.removeValue(forKey: ticket) else { continue }
                let reason = CallFailure.handshakeFailed(server: configuration.server, failure)
                effects.append(contentsOf: finish(call, with: reason, outcome: .failed, now: now))
            }
            held = []
            effects.append(.handshake(failure: failure))
            return effects
        }
        let isFirst = counters.generations == 1
        phase = .ready
        var effects = Effects(.handshake(failure: nil))
        if configuration.era == .modern { effects.append(contentsOf: listenToEverything(now: now)) }
        if !isFirst { effects.append(contentsOf: restore(now: now)) }
        effects.append(contentsOf: acknowledgeListeners(now: now))
        effects.append(contentsOf: sendHeld(now: now))
        return effects
    }

    /// A failed initialize is passed on as the server wrote it.
    private func handshakeError(_ id: RawID, _ failure: String, _ error: ServerMessage?) -> MessageBytes {
        if let error, let range = error.envelope.id { return LodgeMessage.replacing(range, with: id, in: error) }
        return CallFailure.handshakeFailed(server: configuration.server, failure).answer(id: id)
    }

    /// Sets again what sessions had set in the generation before, and tells them to look at the lists again.
    private mutating func restore(now: ContinuousClock.Instant) -> Effects {
        var effects = Effects()
        if configuration.era == .legacy {
            for uri in subscriptions.uris { effects.append(upkeep(subscribing: uri, now: now)) }
            if let level = levels.values.min() { effects.append(upkeep(level: level)) }
        }
        guard let initialized else { return effects }
        for (method, notice) in LodgeMessage.listChanges(declaredIn: initialized.result) {
            listChanges[RawID(Array(method.utf8))] = (notice, now)
            if let list = ListenFilter.List(notice: method) { effects.append(contentsOf: changed(list)) }
            if !streams.isEmpty { effects.append(.fanOut(Array(streams.values), notice)) }
        }
        return effects
    }

    mutating func upkeep(subscribing uri: String, now: ContinuousClock.Instant) -> Effect? {
        if configuration.era == .modern { return listen(toResource: uri, now: now) }
        let ticket = nextTicket()
        own[ticket] = .upkeep
        return .send(LodgeMessage.subscribe(ticket: ticket, uri: uri))
    }

    mutating func upkeep(unsubscribing uri: String) -> Effect? {
        if configuration.era == .modern { return stopListening(toResource: uri) }
        let ticket = nextTicket()
        own[ticket] = .upkeep
        return .send(LodgeMessage.unsubscribe(ticket: ticket, uri: uri))
    }

    mutating func upkeep(level: LogLevel) -> Effect {
        let ticket = nextTicket()
        own[ticket] = .upkeep
        return .send(LodgeMessage.setLevel(ticket: ticket, level))
    }

    private mutating func sendHeld(now: ContinuousClock.Instant) -> Effects {
        var effects = Effects()
        for ticket in held {
            guard let message = pending[ticket]?.held else { continue }
            pending[ticket]?.held = nil
            effects.append(contentsOf: letGo(ticket, message, now: now))
        }
        held = []
        return effects
    }

    // MARK: initialize of clients

    /// Takes a client's `initialize`.
    mutating func initialize(
        _ call: InitializeCall, message: ClientMessage, now: ContinuousClock.Instant
    ) -> (Ticket?, Effects) {
        if let initialized, isReady || configuration.ownHandshake {
            let bytes = LodgeMessage.initializeAnswer(initialized, call)
            return (nil, Effects(.open(call, bytes.0, version: bytes.1)))
        }
        var call = call
        var effects = Effects()
        let ticket = nextTicket()
        switch phase {
        case .down(let ending, let retry):
            let retryAfter = retry.map { now.duration(to: $0) }
            return (nil, Effects(.finish(call.sink, unavailable(call.id, ending, retryAfter: retryAfter))))
        case .idle:
            call.held = configuration.ownHandshake ? nil : message
        case .starting where configuration.ownHandshake:
            effects.append(retryHandshake())
        case .starting, .ready:
            effects.append(.forward(message, ticket))
        }
        initializing[ticket] = call
        effects.append(arm(call.deadline))
        return (ticket, effects)
    }

    /// Lets every waiting client in with the answer that Lodge got.
    mutating func letIn() -> Effects {
        guard let initialized else { return Effects() }
        var effects = Effects()
        for (_, waiting) in initializing.sorted(by: { $0.key < $1.key }) {
            let bytes = LodgeMessage.initializeAnswer(initialized, waiting)
            effects.append(.open(waiting, bytes.0, version: bytes.1))
        }
        initializing = [:]
        return effects
    }

    /// The server answered a client's own `initialize` (isolation `client`).
    mutating func clientHandshakeAnswered(_ call: InitializeCall, _ message: ServerMessage) -> Effects {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let idRange = message.envelope.id else { return Effects() }
        let answer = LodgeMessage.replacing(idRange, with: call.id, in: message)
        guard message.envelope.kind == .response,
            let version = message.envelope.string(message.envelope.protocolVersion, in: bytes)
        else {
            handshakeFailed = true
            var effects = Effects(.finish(call.sink, .message(answer)))
            let failure = message.envelope.error.map { message.envelope.text($0, in: bytes) } ?? Self.noVersion
            effects.append(.handshake(failure: failure))
            return effects
        }
        phase = .ready
        var effects = Effects(.open(call, answer, version: version))
        effects.append(.handshake(failure: nil))
        return effects
    }
}
