// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore

@testable import BrokerCore

/// Carries the effects of one multiplexer out at once, into a transcript that a test reads.
///
/// It is not an upstream: there is no lock and no connection, and time stands where the test puts it. What it does with
/// an answer's list of tools is left to the tests of whole servers.
final class MultiplexerHarness {
    struct Opened {
        let sink: any CallSink
        let answer: String
        let version: String
    }

    private var multiplexer: Multiplexer
    private(set) var now = ContinuousClock.now
    /// What the server was sent since the last `takeSent`, oldest first.
    private(set) var sent: [String] = []
    private(set) var opened: [Opened] = []
    private(set) var logged: [LogEvent] = []
    private(set) var records: [CallRecord] = []
    /// How each handshake ended; nil is success.
    private(set) var handshakes: [String?] = []
    private(set) var armed: ContinuousClock.Instant?

    init(isolation: Isolation = .shared, _ adjust: (inout Multiplexer.Configuration) -> Void = { _ in }) {
        var configuration = Multiplexer.Configuration(server: "files", isolation: isolation, clientVersion: "9.9.9")
        adjust(&configuration)
        multiplexer = Multiplexer(configuration)
    }

    /// A multiplexer whose shared server has answered the handshake; the transcript begins after it.
    static func ready(
        capabilities: String = "{}", _ adjust: (inout Multiplexer.Configuration) -> Void = { _ in }
    ) throws -> MultiplexerHarness {
        let harness = MultiplexerHarness(isolation: .shared, adjust)
        try harness.startGeneration(capabilities: capabilities)
        return harness
    }

    /// A multiplexer that belongs to one client, whose own `initialize` is the handshake; nothing has started yet.
    static func forOneClient() -> MultiplexerHarness { MultiplexerHarness(isolation: .client) }

    /// A multiplexer of one client whose own handshake went well; the transcript begins after it.
    static func readyForOneClient() throws -> MultiplexerHarness {
        let harness = forOneClient()
        harness.start()
        try harness.initialize(Sample.initialize, RecordingSink())
        try harness.serve(Sample.initializeAnswer(id: harness.lastTicket))
        harness.takeSent()
        return harness
    }

    // What a test asks the multiplexer; `#expect` cannot look into a value that is not copyable.
    var isQuiet: Bool { multiplexer.isQuiet }
    var isReady: Bool { multiplexer.isReady }
    var isHandshaking: Bool { multiplexer.isHandshaking }
    var callsInFlight: Int { multiplexer.callsInFlight }
    var counters: Multiplexer.Counters { multiplexer.counters }
    func holdsState(_ session: UInt64) -> Bool { multiplexer.holdsState(SessionKey(number: session)) }
    func hasStream(_ session: UInt64) -> Bool { multiplexer.hasStream(SessionKey(number: session)) }

    /// The ticket handed out last, as it stands in a message.
    var lastTicket: String { String(multiplexer.lastTicket) }

    @discardableResult
    func takeSent() -> [String] {
        defer { sent = [] }
        return sent
    }

    // MARK: The server

    func start() { perform(multiplexer.generationStarted(now: now)) }

    /// Starts a generation and answers its handshake.
    func startGeneration(capabilities: String = "{}") throws {
        start()
        try serve(Sample.initializeAnswer(id: lastTicket, capabilities: capabilities))
        takeSent()
    }

    func serve(_ json: String) throws { perform(multiplexer.received(try .of(json), now: now)) }

    func serveUnusable(ticket: Ticket?, problem: String) {
        perform(multiplexer.receivedUnusable(ticket: ticket, problem: problem, now: now))
    }

    func end(_ cause: Ending.Cause = .exited(code: 1), tail: [String] = [], retryIn delay: Duration? = .seconds(1)) {
        let retry = delay.map { now.advanced(by: $0) }
        perform(multiplexer.generationEnded(Ending(cause, stderrTail: tail), retry: retry, now: now))
    }

    // MARK: Clients

    @discardableResult
    func request(_ json: String, _ sink: RecordingSink) throws -> Ticket? { try request(json, 1, sink) }

    @discardableResult
    func request(_ json: String, _ session: UInt64, _ sink: RecordingSink) throws -> Ticket? {
        let message = try ClientMessage.of(json)
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let kind = ClientRequest(message.envelope, in: bytes)
        let (ticket, effects) = multiplexer.request(
            message, kind: kind, label: message.envelope.label(in: bytes, principal: message.principal),
            session: SessionKey(number: session),
            sink: sink, now: now)
        perform(effects)
        return ticket
    }

    @discardableResult
    func initialize(_ json: String, _ sink: RecordingSink) throws -> Ticket? {
        let message = try ClientMessage.of(json)
        let deadline = now.advanced(by: multiplexer.configuration.startTimeout)
        guard
            let call = message.initializeCall(
                sink: sink, deadline: deadline, era: multiplexer.configuration.era)
        else { return nil }
        let (ticket, effects) = multiplexer.initialize(call, message: message, now: now)
        perform(effects)
        return ticket
    }

    func notify(_ json: String, _ session: UInt64 = 1) throws {
        perform(multiplexer.notification(try .of(json), session: SessionKey(number: session), now: now))
    }

    func respond(_ json: String, _ session: UInt64 = 1) throws {
        perform(multiplexer.response(try .of(json), session: SessionKey(number: session), now: now))
    }

    func withdraw(_ ticket: Ticket?) {
        if let ticket { perform(multiplexer.withdraw(ticket, now: now)) }
    }

    func notForwarded(_ ticket: Ticket?) {
        if let ticket { perform(multiplexer.notForwarded(ticket, now: now)) }
    }

    /// Attaches a stream of a session that was opened just now, or at another time.
    func open(_ stream: RecordingStream, _ session: UInt64 = 1, opened: ContinuousClock.Instant? = nil) {
        perform(multiplexer.streamOpened(stream, session: SessionKey(number: session), opened: now))
    }

    func close(_ stream: RecordingStream, _ session: UInt64 = 1, unseen: [String] = []) {
        multiplexer.streamClosed(
            stream, session: SessionKey(number: session),
            unseen: unseen.map { MessageBytes(bytes: Array($0.utf8)) }, now: now)
    }

    func endSession(_ session: UInt64 = 1) {
        perform(multiplexer.sessionEnded(SessionKey(number: session), now: now))
    }

    // MARK: Time

    /// Lets time pass; the timer fires at each point in time that it was armed for.
    func advance(by duration: Duration) {
        let end = now.advanced(by: duration)
        while let next = armed, next <= end {
            now = max(now, next)
            armed = nil
            perform(multiplexer.deadlineReached(now: now))
        }
        now = end
    }

    /// The timer is gone, as it is before the first generation and between two.
    func forgetTimer() { armed = nil }

    // MARK: Effects

    private func perform(_ effects: Effects) {
        effects.each { perform($0) }
    }

    private func perform(_ effect: Effect) {
        switch effect {
        case .send(let message): sent.append(message.text)
        case .forward(let message, let ticket): sent.append(LodgeMessage.forwarded(message, as: ticket).text)
        case .forwardToModern(let message, let ticket, let metadata):
            sent.append(LodgeMessage.forwardedToModern(message, as: ticket, metadata).text)
        case .answer(let call, let message) where multiplexer.configuration.era == .modern && call.modern == nil:
            call.sink.finish(.message(LodgeMessage.legacyAnswer(message, to: call)))
        case .answer(let call, let message): call.sink.finish(.message(LodgeMessage.answer(message, id: call.id)))
        case .progress(let sink, let token, let message): sink.deliver(LodgeMessage.progress(message, token: token))
        case .deliver(let sink, let message): sink.deliver(message)
        case .fanOut(let streams, let message): for stream in streams { _ = stream.deliver(message) }
        case .askForInput(let sink, let id, _, let questions, let course):
            // Sealing is the upstream's; here the state is readable.
            let result = InputRequired.result(questions, state: "\(course)", serverInfo: nil)
            sink.finish(.message(MessageBytes(bytes: MessageBuilder.result(id: id, result.serialized))))
        case .finish(let sink, let answer): sink.finish(answer)
        case .open(let call, let answer, let version):
            opened.append(Opened(sink: call.sink, answer: answer.text, version: version))
            multiplexer.sessionOpened(SessionKey(number: UInt64(opened.count)), call.declaration)
            call.sink.finish(.opened(answer, session: "session-\(opened.count)"))
        case .closeStream(let stream): stream.close()
        case .record(let record): records.append(record)
        case .log(let event): logged.append(event)
        case .handshake(let failure): handshakes.append(failure)
        case .arm(let deadline): armed = deadline
        }
    }
}
