// SPDX-License-Identifier: Apache-2.0
import JSONRPC
package import LodgeConfiguration
package import MCPProtocol
package import NIOCore

/// Routes messages between the clients of one upstream and its server: a pure state machine.
///
/// It is not an upstream and does no I/O: every input returns ``Effects``, which the owner carries out outside its
/// lock. It lives longer than a generation of the server, so that sessions of a shared upstream go on over a restart.
///
/// Invariants of the routing:
/// 1. A client's request reaches the server under a ticket, and a ticket is used once in the life of the upstream.
///    The same number stands in place of the client's progress token.
/// 2. An answer goes to the sink of the ticket it carries, once; an answer to any other id goes nowhere.
/// 3. A message of the server with a `method` is never an answer, whatever its id.
/// 4. A request of the server goes to the one client that the upstream belongs to, under an id of ours, or is refused;
///    it is never sent to two clients.
/// 5. A client's response reaches the server only for a request that this client was sent and has not answered.
/// 6. A cancellation reaches the server only for a ticket of the session that cancels.
/// 7. A notification of the server goes to the caller whose ticket it names, to the subscribers of its resource, or,
///    for changes of lists, to every session's own stream. What can be attributed to nobody goes to Lodge's log.
/// 8. The answer to `initialize` is kept for one generation and dies with it; an error is passed on, never kept.
/// 9. When a generation ends, every call that reached it fails at once with the reason. A call is never sent twice.
/// 10. A call that has not reached a server waits for at most one attempt to start it, within its own deadline.
package struct Multiplexer: ~Copyable {
    /// What does not change in the life of an upstream.
    package struct Configuration: Sendable {
        package var server: String
        package var isolation: Isolation
        /// What the server speaks.
        package var era = Era.legacy
        /// Whose messages the upstream carries.
        package var audience: Audience
        /// A call without progress for this long is given up.
        package var callTimeout: Duration = .seconds(300)
        /// A call is given up after this long even with progress.
        package var absoluteTimeout: Duration = .seconds(3600)
        /// How long a client waits for `initialize` while the server starts.
        package var startTimeout: Duration = .seconds(30)
        package var tools: ToolPolicy = .everything
        /// A tool's result with more bytes of text is cut; nil for no limit.
        package var resultLimit: Int?
        /// Whether Lodge's handshake ends with a `tools/list` of its own, as a proof that the server's key works.
        package var provesTools = false
        /// Whether Lodge does the handshake itself; else the first client's `initialize` is the handshake.
        package var ownHandshake: Bool
        /// Whether a call that got no answer because its server is down, still starting, too slow or does not read is
        /// told so by the transport as well; else only by its JSON-RPC error.
        package var outageIsUnavailable = false
        /// Whether one principal alone uses the upstream, so that the server's stderr tells nothing of others.
        package var solePrincipal = false
        /// Whether a request that was asked for input can go on at this upstream only, since there are others.
        package var isPinned = false
        /// What Lodge declares to the server that its client can be asked, a raw object.
        package var declaredCapabilities = Array("{}".utf8)
        /// The version under which Lodge names itself to the server.
        package var clientVersion: String

        var showsStderrTail: Bool { (!isForMany && audience != .principal) || solePrincipal }

        /// Whether clients that know nothing of each other share the upstream.
        var isForMany: Bool { audience == .everybody }

        /// Whether a task would outlive the upstream that has it, or could be reached by who did not start it.
        var withholdsTasks: Bool { isForMany || audience == .call }

        /// Whether what the server asks and tells by itself has one client that it belongs to.
        ///
        /// Not so where Lodge made the handshake of a session's upstream, as a proof: there is no client yet.
        var hasOneClient: Bool { audience == .call || (audience == .session && !ownHandshake) }

        package init(server: String, isolation: Isolation, clientVersion: String) {
            self.server = server
            self.isolation = isolation
            self.clientVersion = clientVersion
            ownHandshake = isolation != .client
            audience = isolation == .client ? .session : .everybody
        }
    }

    /// Whose messages an upstream carries, which decides what its server may ask and whom.
    package enum Audience: Sendable {
        /// Clients of any principal. The server may ask nobody anything.
        case everybody
        /// One legacy session, whose own `initialize` reached the server.
        case session
        /// Modern clients of one principal; what the server asks belongs to a call in flight.
        case principal
        /// One call and its further rounds.
        case call
    }

    /// Whether there is a generation to send to.
    package enum Phase: Sendable {
        /// Nothing runs and nothing was tried yet. Can transition to `starting`, `down`.
        case idle
        /// A generation runs; its handshake does not have an answer. Can transition to `ready`, `down`.
        case starting
        /// Calls are forwarded. Can transition to `down`.
        case ready
        /// No generation; another is started at `retry`, or never. Can transition to `starting`, `down`.
        case down(Ending, retry: ContinuousClock.Instant?)
    }

    /// The server's answer to Lodge's `initialize`.
    struct Initialized: Sendable {
        var result: ByteBuffer
        /// The raw value of `protocolVersion` within `result`.
        var versionRange: Range<Int>
        var version: String
    }

    /// What Lodge itself asks the server.
    enum OwnRequest: Sendable {
        case initialize
        case proof
        /// Sets a subscription or a log level again, or takes one back; its answer is of no interest.
        case upkeep
    }

    let configuration: Configuration
    package internal(set) var phase = Phase.idle
    var lastTicket: Ticket = 0
    /// Calls by ticket, sent or held.
    var pending: [Ticket: PendingCall] = [:]
    /// Tickets whose message could not be sent yet, oldest first.
    var held: [Ticket] = []
    /// Clients that wait for `initialize`, by ticket.
    var initializing: [Ticket: InitializeCall] = [:]
    var own: [Ticket: OwnRequest] = [:]
    var given = GivenUpTickets()
    var initialized: Initialized?
    /// Whether the last handshake got an error from a server that lives on.
    var handshakeFailed = false
    /// Whether the server was told `notifications/initialized` in this generation.
    var toldInitialized = false
    var streams: [SessionKey: any StreamSink] = [:]
    /// The last notice of each changed list, for streams that open after it.
    var listChanges: [RawID: (notice: MessageBytes, at: ContinuousClock.Instant)] = [:]
    /// When a session's stream was closed; what came after that it has not seen.
    var streamsClosed: [SessionKey: ContinuousClock.Instant] = [:]
    var subscriptions = SubscriptionTable()
    var levels: [SessionKey: LogLevel] = [:]
    var serverRequests: [Ticket: ServerRequest] = [:]
    /// What modern clients are told of the server; nil before its handshake.
    var identity: ServerIdentity?
    /// Modern clients that listen to changes, over every generation.
    var listeners: [Ticket: Listener] = [:]
    /// Calls of modern clients that wait for an answer of their client, by their ticket.
    var suspended: [Ticket: Suspension] = [:]
    /// How often the client of a call was asked, for as long as the call is in flight.
    var rounds: [Ticket: UInt32] = [:]
    var cache = ResultCache()
    var annotatedTools = AnnotatedTools()
    var taskOwners = TaskOwners()
    /// The level that the server was set to for modern clients; nil where it was not.
    var serverLevel: LogLevel?
    /// Messages for the one client of this upstream that had no way to it yet; bounded.
    var outbox = Outbox()
    /// The point in time for which the timer is armed.
    var armed: ContinuousClock.Instant?
    package internal(set) var counters = Counters()

    /// What the state machine counted, for `/status`.
    package struct Counters: Sendable {
        package var generations = 0
        package var lateAnswers = 0
        package var unknownAnswers = 0
        /// Requests of clients that were taken, `initialize` left out.
        package var requests = 0
        /// How calls ended; those that Lodge answers itself are not among them, but for refused ones.
        package var outcomes = OutcomeCounts()
    }

    package init(_ configuration: Configuration) { self.configuration = configuration }

    package var callsInFlight: Int { pending.count + initializing.count }

    /// Whether nothing of any client is left here: what a test of leaks asks.
    package var isQuiet: Bool {
        pending.isEmpty && held.isEmpty && initializing.isEmpty && serverRequests.isEmpty && outbox.isEmpty
            && listeners.isEmpty && suspended.isEmpty && rounds.isEmpty
    }

    /// Whether a generation runs that has not answered its handshake at all.
    package var isHandshaking: Bool { if case .starting = phase { !handshakeFailed } else { false } }

    package var isReady: Bool { if case .ready = phase { true } else { false } }

    /// The result of the server's `initialize`, where Lodge asked for it.
    package var initializeResult: ByteBuffer? { initialized?.result }

    mutating func nextTicket() -> Ticket {
        lastTicket += 1
        return lastTicket
    }

    /// Asks for the timer when `deadline` is earlier than what it is armed for.
    mutating func arm(_ deadline: ContinuousClock.Instant) -> Effect? {
        if let armed, armed <= deadline { return nil }
        armed = deadline
        return .arm(deadline)
    }
}
