// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore
import Synchronization

/// What one member has to watch for a client that listens to an aggregate.
struct ListenPart: Sendable {
    var lists: Set<ListenFilter.List>
    /// Resources as the member names them, with the names under which the client asked for each.
    var resources: [String: [String]] = [:]

    var isEmpty: Bool { lists.isEmpty && resources.isEmpty }
}

/// A modern client that listens to an aggregate: one listener at each of its members, under the client's own id.
///
/// Its client is told once what it will hear of, before anything else: all lists that it asked for, since the
/// aggregate's own lists change with its members whether or not those tell of changes; and the resources that a member
/// watches. It outlives its members and ends with the client's request. Its lock is never held while a member or a
/// sink is called.
final class AggregateListener: Sendable {
    /// How long members may take to say what they watch, before the client is told without them.
    static let patience = Duration.seconds(5)
    /// What members tell before that is kept for afterwards; more is dropped.
    private static let earlyMessages = 1024

    private struct Member {
        let member: AggregateMember
        var part: ListenPart
        /// Counts how often the listener was opened, so that what is left of an earlier one means nothing.
        var attempt = 0
        var isOpen = false
        var ticket: CallTicket?
        /// What it said that it watches; nil until it did.
        var honoured: ListenFilter?
        /// Whether it dropped out of the lists, so that the client has to be told when it is back.
        var isMissing = false
    }

    private enum Phase {
        /// Can transition to `listening`, `ended`.
        case waiting(early: [MessageBytes])
        /// Can transition to `ended`.
        case listening
        case ended
    }

    private struct State {
        var phase = Phase.waiting(early: [])
        var members: [String: Member] = [:]
        /// What to do once a member has said what it watches, or that it does not; for those that were asked at first.
        var settled: [String: @Sendable () -> Void] = [:]

        var isEnded: Bool { if case .ended = phase { true } else { false } }
    }

    private let caller: ModernCaller
    private let wanted: ListenFilter
    private let operation: Operation
    private let known: PrincipalResources
    private let delays: any DelayScheduler
    private let state = Mutex(State())

    init(
        _ caller: ModernCaller, _ wanted: ListenFilter, operation: Operation, known: PrincipalResources,
        delays: any DelayScheduler
    ) {
        self.caller = caller
        self.wanted = wanted
        self.operation = operation
        self.known = known
        self.delays = delays
    }

    /// Opens a listener at each member that is there, and tells the client once all of them have said what they watch.
    func begin(_ parts: [(AggregateMember, ListenPart)]) {
        let asked = parts.filter { !$0.1.isEmpty && $0.0.relay.isReady }.map(\.0)
        let round = MemberRound<Void>(asked.count, within: Self.patience, delays: delays) { [weak self] _ in
            self?.acknowledge()
        }
        state.withLock { state in
            guard !state.isEnded else { return }
            for (member, part) in parts {
                state.members[member.name] = Member(member: member, part: part, isMissing: true)
            }
            for (index, member) in asked.enumerated() {
                state.members[member.name]?.isMissing = false
                state.settled[member.name] = { round.end(index, ()) }
            }
        }
        round.start()
        for member in asked { open(member.name) }
        // One that came up meanwhile is not told of any more.
        let names = Set(asked.map(\.name))
        for (member, _) in parts where !names.contains(member.name) && member.relay.isReady { cameUp(member.name) }
    }

    /// Gives up everything; idempotent.
    func end() {
        let members = state.withLock { state in
            defer {
                state = State()
                state.phase = .ended
            }
            return state.members
        }
        for member in members.values { member.ticket?.abandon() }
    }

    // MARK: Members

    private func open(_ name: String) {
        let opening = state.withLock { state -> (AggregateMember, ListenPart, Int)? in
            guard !state.isEnded, var own = state.members[name], !own.isOpen, !own.part.isEmpty else { return nil }
            own.isOpen = true
            own.attempt += 1
            own.honoured = nil
            state.members[name] = own
            return (own.member, own.part, own.attempt)
        }
        guard let (member, part, attempt) = opening else { return }
        let filter = ListenFilter(lists: part.lists, resources: part.resources.keys.sorted())
        let params = Array(#""notifications":"#.utf8) + filter.object.serialized
        guard let message = caller.request("subscriptions/listen", params: params) else {
            return closed(name, attempt)
        }
        let sink = MemberListenerSink(self, member: name, attempt: attempt)
        switch member.relay.receive(message, sink: sink) {
        case .pending(let ticket): keep(ticket, of: name, attempt)
        case .accepted, .refused: closed(name, attempt)
        }
    }

    private func keep(_ ticket: CallTicket, of name: String, _ attempt: Int) {
        let isKept = state.withLock { state in
            guard let own = state.members[name], own.attempt == attempt, own.isOpen else { return false }
            state.members[name]?.ticket = ticket
            return true
        }
        // Where it ended already this has no effect.
        if !isKept { ticket.abandon() }
    }

    /// A member's listener ended, or could not be opened.
    fileprivate func closed(_ name: String, _ attempt: Int) {
        let settled = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.members[name]?.attempt == attempt else { return nil }
            state.members[name]?.isOpen = false
            state.members[name]?.ticket = nil
            state.members[name]?.honoured = nil
            return state.settled.removeValue(forKey: name)
        }
        settled?()
    }

    func wentDown(_ name: String) {
        let isNews = state.withLock { state in
            guard state.members[name]?.isMissing == false else { return false }
            state.members[name]?.isMissing = true
            return true
        }
        if isNews { tell(of: wanted.lists) }
    }

    func cameUp(_ name: String) {
        let lists = state.withLock { state -> Set<ListenFilter.List>? in
            guard let own = state.members[name] else { return nil }
            state.members[name]?.isMissing = false
            guard own.isMissing else { return [] }
            // A listener that lasted over the restart tells of the rest itself.
            return wanted.lists.subtracting(own.isOpen ? own.honoured?.lists ?? [] : [])
        }
        guard let lists else { return }
        open(name)
        tell(of: lists)
    }

    /// A member was added to the configuration.
    func added(_ member: AggregateMember) {
        guard caller.servers.contains(member.name) else { return }
        let isReady = member.relay.isReady
        state.withLock { state in
            guard !state.isEnded else { return }
            let part = state.members[member.name]?.part ?? ListenPart(lists: wanted.lists)
            let attempt = state.members[member.name]?.attempt ?? 0
            state.members[member.name] = Member(
                member: member, part: part, attempt: attempt, isMissing: true)
        }
        if isReady { cameUp(member.name) }
    }

    /// A member was taken out of the configuration; its part is kept in case that it comes back.
    func removed(_ name: String) {
        let (ticket, settled) = state.withLock { state -> (CallTicket?, (@Sendable () -> Void)?) in
            let ticket = state.members[name]?.ticket
            state.members[name]?.ticket = nil
            state.members[name]?.isOpen = false
            state.members[name]?.attempt += 1
            return (ticket, state.settled.removeValue(forKey: name))
        }
        ticket?.abandon()
        settled?()
        wentDown(name)
    }

    // MARK: What the client is told

    private func acknowledge() {
        let honoured = state.withLock { state in
            var watched: Set<String> = []
            for member in state.members.values {
                for uri in member.honoured?.resources ?? [] { watched.formUnion(member.part.resources[uri] ?? []) }
            }
            return ListenFilter(lists: wanted.lists, resources: wanted.resources.filter(watched.contains))
        }
        operation.deliver(
            LodgeMessage.notification(
                "notifications/subscriptions/acknowledged", [.init("notifications", honoured.object)],
                subscription: caller.id))
        while let early = takeEarly() {
            for message in early { operation.deliver(message) }
        }
    }

    /// Takes what came too early; nil once nothing is left, from when on everything goes through.
    private func takeEarly() -> [MessageBytes]? {
        state.withLock { state in
            guard case .waiting(let early) = state.phase else { return nil }
            state.phase = early.isEmpty ? .listening : .waiting(early: [])
            return early.isEmpty ? nil : early
        }
    }

    private func tell(of lists: Set<ListenFilter.List>) {
        for list in ListenFilter.List.allCases where lists.contains(list) {
            tell(LodgeMessage.notification(list.notice, [], subscription: caller.id))
        }
    }

    private func tell(_ message: MessageBytes) {
        let isTime = state.withLock { state in
            switch state.phase {
            case .waiting(let early):
                if early.count < Self.earlyMessages { state.phase = .waiting(early: early + [message]) }
                return false
            case .listening: return true
            case .ended: return false
            }
        }
        if isTime { operation.deliver(message) }
    }

    fileprivate func received(_ message: MessageBytes, from name: String, _ attempt: Int) {
        let buffer = message.joined()
        let bytes = buffer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(bytes), envelope.kind == .notification else { return }
        if envelope.isMethod("notifications/subscriptions/acknowledged", in: bytes) {
            let params = envelope.params.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
            return acknowledged(ListenFilter(params?["notifications"]), by: name, attempt)
        }
        guard state.withLock({ $0.members[name]?.attempt == attempt }) else { return }
        guard ServerMethod(envelope, in: bytes) == .resourceUpdated, let range = envelope.uri,
            let uri = JSONString.decode(bytes, range)
        else {
            if envelope.isMethod("notifications/resources/list_changed", in: bytes) {
                known.with(caller.principal) { $0.isCurrent = false }
            }
            return tell(message)
        }
        let scanned = ServerMessage(bytes: buffer, envelope: envelope)
        for outward in names(of: uri, at: name) {
            tell(outward == uri ? message : LodgeMessage.replacing(range, with: RawID(string: outward), in: scanned))
        }
    }

    /// The names under which the client asked for a member's resource; else the one by which it knows it.
    private func names(of uri: String, at name: String) -> [String] {
        if let asked = state.withLock({ $0.members[name]?.part.resources[uri] }) { return asked }
        let isPrefixed = known.with(caller.principal) { $0.resources.isPrefixed(uri, of: name) }
        return [isPrefixed ? MemberPrefix.ofResources(name) + uri : uri]
    }

    private func acknowledged(_ honoured: ListenFilter?, by name: String, _ attempt: Int) {
        let settled = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.members[name]?.attempt == attempt else { return nil }
            state.members[name]?.honoured = honoured
            return state.settled.removeValue(forKey: name)
        }
        settled?()
    }
}

/// A member's way to a client that listens to the aggregate.
private final class MemberListenerSink: CallSink {
    private let listener: AggregateListener
    private let member: String
    private let attempt: Int

    init(_ listener: AggregateListener, member: String, attempt: Int) {
        self.listener = listener
        self.member = member
        self.attempt = attempt
    }

    var acceptsStream: Bool { true }
    func deliver(_ message: MessageBytes) { listener.received(message, from: member, attempt) }
    func finish(_ answer: Answer) { listener.closed(member, attempt) }
}
