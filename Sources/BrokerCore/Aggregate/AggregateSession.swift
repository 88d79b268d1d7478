// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore
import Synchronization

/// One client's session with an aggregate: a session of that client with each member, and what holds them together.
///
/// Its lock is never held while a member or a sink is called. A member's session is opened with the client's own
/// `initialize`, at first when the aggregate's is, and again before it is needed when it has ended.
final class AggregateSession: Sendable {
    /// What became of the attempt to have a session with a member.
    enum Opening: Sendable {
        case open(session: String)
        /// The bytes are a JSON-RPC error, under the id of the client's `initialize`.
        case failed(MessageBytes, retryAfter: Int?)
    }

    typealias Waiter = @Sendable (Opening) -> Void

    struct Member {
        enum Phase {
            /// Can transition to `opening`.
            case closed
            /// Can transition to `open`, `closed`.
            case opening([Waiter])
            /// Can transition to `closed`.
            case open(session: String)
        }

        var phase = Phase.closed
        var ticket: CallTicket?
        /// What it said of itself last.
        var greeting: MemberGreeting?
        var stream: MemberStream?
        /// The resources that the client watches, as the member knows them, and whether the client knows each by its
        /// prefix.
        var subscriptions: [String: Bool] = [:]
        /// Whether it dropped out of the lists, so that the client has to be told when it is back.
        var isMissing = false

        var session: String? { if case .open(let session) = phase { session } else { nil } }
    }

    struct State {
        var members: [String: Member] = [:]
        var isEnded = false
        /// Whether the client said that it is initialized.
        var isInitialized = false
        /// The client's last `logging/setLevel`.
        var level: ClientMessage?
        var stream: (any StreamSink)?
        /// Changes of lists of which the client could not be told yet.
        var owed: Set<String> = []
        /// The lists whose changes this session was promised to hear of.
        var announced: Set<String> = []
        var asked = AskedRequests()
        var known = KnownResources()
        var operations: [ObjectIdentifier: Operation] = [:]
    }

    let principal: Principal
    private let hello: ClientMessage
    let state = Mutex(State())

    /// - Parameter hello: the client's `initialize`.
    init(hello: ClientMessage) {
        principal = hello.principal
        self.hello = hello
    }

    /// The member's session, where it is open.
    func openSession(of member: AggregateMember) -> String? {
        state.withLock { $0.members[member.name]?.session }
    }

    /// What a call to a member has to know.
    struct Way {
        /// Nil where the member's session has to be opened first.
        let session: String?
        /// Whether any of the member's resources has another name for this client.
        let renamesResources: Bool
    }

    func way(to member: AggregateMember) -> Way {
        state.withLock { state in
            let renames = !state.known.resources.renamed.isEmpty && state.known.resources.renamed.contains(member.name)
            return Way(session: state.members[member.name]?.session, renamesResources: renames)
        }
    }

    /// What a member said of itself last; nil where it has said nothing yet.
    func greeting(of member: AggregateMember) -> MemberGreeting? {
        state.withLock { $0.members[member.name]?.greeting }
    }

    /// The members among these whose session is open.
    func open(among members: [AggregateMember]) -> [(member: AggregateMember, session: String)] {
        state.withLock { state in
            members.compactMap { member in state.members[member.name]?.session.map { (member, $0) } }
        }
    }

    // MARK: Opening

    /// Has a session with a member, at once where it is open.
    func withSession(of member: AggregateMember, _ body: @escaping Waiter) {
        enum Step {
            case known(Opening)
            case wait
            case start
        }
        let step = state.withLock { state -> Step in
            guard !state.isEnded else { return .known(.failed(Self.ended(member), retryAfter: nil)) }
            switch state.members[member.name]?.phase ?? .closed {
            case .open(let session): return .known(.open(session: session))
            case .opening(let waiters):
                state.members[member.name]?.phase = .opening(waiters + [body])
                return .wait
            case .closed:
                state.members[member.name, default: Member()].phase = .opening([body])
                return .start
            }
        }
        switch step {
        case .known(let opening): body(opening)
        case .wait: break
        case .start: start(member)
        }
    }

    private func start(_ member: AggregateMember) {
        let message = ClientMessage(
            bytes: hello.bytes, envelope: hello.envelope, session: nil, principal: principal)
        switch member.relay.receive(message, sink: AnswerSink { self.answered($0, member) }) {
        case .pending(let ticket):
            let isOver = state.withLock { state in
                guard case .opening = state.members[member.name]?.phase else { return state.isEnded }
                state.members[member.name]?.ticket = ticket
                return false
            }
            if isOver { ticket.abandon() }
        case .refused(_, let bytes): end(.failed(bytes, retryAfter: nil), nil, member)
        case .accepted: end(.failed(Self.ended(member), retryAfter: nil), nil, member)
        }
    }

    private func answered(_ answer: Answer, _ member: AggregateMember) {
        switch answer {
        case .opened(let bytes, let session):
            end(.open(session: session), MemberGreeting(bytes), member)
        case .unavailable(let bytes, let retryAfter): end(.failed(bytes, retryAfter: retryAfter), nil, member)
        case .message(let bytes), .failed(let bytes, _), .unknownSession(let bytes):
            end(.failed(bytes, retryAfter: nil), nil, member)
        }
    }

    private func end(_ opening: Opening, _ greeting: MemberGreeting?, _ member: AggregateMember) {
        let (waiters, isEnded) = state.withLock { state -> ([Waiter], Bool) in
            guard !state.isEnded, case .opening(let waiters) = state.members[member.name]?.phase else {
                return ([], true)
            }
            state.members[member.name]?.ticket = nil
            switch opening {
            case .open(let session):
                state.members[member.name]?.phase = .open(session: session)
                state.members[member.name]?.greeting = greeting
                state.members[member.name]?.isMissing = false
            case .failed:
                state.members[member.name]?.phase = .closed
                state.members[member.name]?.isMissing = true
            }
            return (waiters, false)
        }
        if case .open(let session) = opening {
            guard !isEnded else {
                _ = member.relay.endSession(session, principal: principal)
                return
            }
            restore(member, session)
            attachStream(to: member)
        }
        for waiter in waiters { waiter(opening) }
    }

    /// Tells a member whose session is new what the client has said before.
    private func restore(_ member: AggregateMember, _ session: String) {
        let (isInitialized, level, uris) = state.withLock { state in
            (state.isInitialized, state.level, state.members[member.name]?.subscriptions.keys.sorted() ?? [])
        }
        if isInitialized { tell(member, session, LodgeMessage.notification("notifications/initialized")) }
        if let level, greeting(of: member)?.has("logging") == true {
            _ = member.relay.receive(level.addressed(to: session), sink: AnswerSink { _ in })
        }
        for (number, uri) in uris.enumerated() {
            // The id is no client's, so that no client's cancellation means it.
            let id = RawID(string: "lodge-\(number)")
            tell(member, session, LodgeMessage.request(id: id, "resources/subscribe", ["uri": .string(uri)]))
        }
    }

    /// Sends a message of the aggregate's own, whose answer is of no interest.
    private func tell(_ member: AggregateMember, _ session: String, _ message: MessageBytes) {
        guard let message = ClientMessage(own: message, session: session, principal: principal) else { return }
        _ = member.relay.receive(message, sink: AnswerSink { _ in })
    }

    /// Notes that a member's session has ended by itself; the next use opens another.
    ///
    /// - Returns: the lists that may have changed with it; empty where it was known already.
    func lost(_ session: String, of member: String) -> Set<String> {
        state.withLock { state in
            guard state.members[member]?.session == session else { return [] }
            state.members[member]?.phase = .closed
            state.members[member]?.stream = nil
            state.asked.removeAll(of: member)
            return state.lists(of: member)
        }
    }

    static func ended(_ member: AggregateMember) -> MessageBytes {
        CallFailure.sessionEnded(server: member.name).answer(id: RawID(Array("null".utf8)))
    }
}

extension AggregateSession.State {
    /// The announced lists in which a member has entries, as far as it has said.
    func lists(of member: String) -> Set<String> {
        guard let greeting = members[member]?.greeting else { return announced }
        return announced.filter { greeting.has($0) }
    }

    /// Whether the client knows a resource of a member by its prefix.
    func isPrefixed(_ uri: String, of member: String) -> Bool {
        members[member]?.subscriptions[uri] ?? known.resources.isPrefixed(uri, of: member)
    }
}

extension ClientMessage {
    /// A message that the aggregate writes itself, in the name of a client.
    convenience init?(own message: MessageBytes, session: String, principal: Principal) {
        let buffer = message.joined()
        guard let envelope = try? MessageScanner.scan(buffer.readableBytesUInt8Span) else { return nil }
        self.init(bytes: buffer, envelope: envelope, session: session, principal: principal)
    }
}
