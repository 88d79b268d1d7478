// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import NIOCore
import Synchronization

/// A server of an aggregate that answers from a table, and keeps what it was sent.
final class FakeMember: ServerRelay {
    /// A message that reached the member.
    struct Received: Sendable {
        let text: String
        let session: String?
        let isModern: Bool
        let fields: [ParameterField]
        let sink: any CallSink

        var json: JSONValue { (try? JSONValue.parse(Array(text.utf8))) ?? .null }
        var id: JSONValue { json["id"] ?? .null }

        func answer(_ result: JSONValue) {
            sink.finish(.message(Self.response(["jsonrpc": "2.0", "id": id, "result": result])))
        }

        func refuse(_ code: Int64, _ message: String) {
            let error: JSONValue = ["code": .number(.init(code)), "message": .string(message)]
            let response = Self.response(["jsonrpc": "2.0", "id": id, "error": error])
            sink.finish(isModern ? .failed(response, code: Int(code)) : .message(response))
        }

        /// Tells a client that listens, as a server tags what it tells.
        func tell(_ notification: String, _ params: [JSONValue.Member] = []) {
            let tag: JSONValue = .object([.init("io.modelcontextprotocol/subscriptionId", id)])
            let tagged: JSONValue = .object([.init("_meta", tag)] + params)
            sink.deliver(
                Self.response([
                    "jsonrpc": "2.0", "method": .string("notifications/\(notification)"), "params": tagged,
                ]))
        }

        func acknowledge(_ honoured: JSONValue) {
            tell("subscriptions/acknowledged", [.init("notifications", honoured)])
        }

        static func response(_ json: JSONValue) -> MessageBytes { MessageBytes(bytes: json.serialized) }
    }

    private struct State {
        var results: [String: JSONValue] = [:]
        var sessions: Set<String> = []
        var opened = 0
        var received: [Received] = []
        var held: [Received] = []
        var ended: [String] = []
        var withdrawn = 0
        var touched: [String] = []
        var streams: [String: any StreamSink] = [:]
        var isReady = true
        var answersInitialize = true
    }

    let name: String
    private let greeting: JSONValue
    private let state = Mutex(State())

    /// - Parameter results: by method; a request of another one waits for its test.
    init(
        _ name: String, capabilities: JSONValue = ["tools": [:], "prompts": [:], "resources": ["subscribe": true]],
        instructions: String? = nil, results: [String: JSONValue] = [:]
    ) {
        self.name = name
        var members: [JSONValue.Member] = [
            .init("protocolVersion", "2025-11-25"), .init("capabilities", capabilities),
            .init("serverInfo", ["name": .string(name), "version": "1"]),
        ]
        if let instructions { members.append(.init("instructions", .string(instructions))) }
        greeting = .object(members)
        state.withLock { $0.results = results }
    }

    // MARK: For tests

    func set(_ method: String, _ result: JSONValue?) { state.withLock { $0.results[method] = result } }
    func setReady(_ isReady: Bool) { state.withLock { $0.isReady = isReady } }
    func setAnswersInitialize(_ answers: Bool) { state.withLock { $0.answersInitialize = answers } }

    var received: [Received] { state.withLock { $0.received } }
    /// The requests that wait for their test, oldest first.
    var held: [Received] { state.withLock { $0.held } }
    var sessions: Set<String> { state.withLock { $0.sessions } }
    var opened: Int { state.withLock { $0.opened } }
    var ended: [String] { state.withLock { $0.ended } }
    var touched: [String] { state.withLock { $0.touched } }
    var withdrawn: Int { state.withLock { $0.withdrawn } }
    var streams: [String: any StreamSink] { state.withLock { $0.streams } }

    func texts(of method: String) -> [String] {
        received.filter { $0.json["method"]?.string == method }.map(\.text)
    }

    /// Loses every session, as a server does whose process ended.
    func loseSessions() {
        let streams = state.withLock { state in
            defer { (state.sessions, state.streams) = ([], [:]) }
            return state.streams.values.map(\.self)
        }
        for stream in streams { stream.close() }
    }

    /// Opens what an `initialize` that was held waits for.
    func open(_ call: Received) {
        let session = state.withLock { state in
            state.opened += 1
            let session = "\(name)-\(state.opened)"
            state.sessions.insert(session)
            return session
        }
        let answer = Received.response(["jsonrpc": "2.0", "id": call.id, "result": greeting])
        call.sink.finish(.opened(answer, session: session))
    }

    // MARK: ServerRelay

    func receive(_ message: ClientMessage, sink: any CallSink) -> Admission {
        let received = Received(
            text: String(buffer: message.bytes), session: message.session, isModern: message.isModern,
            fields: message.parameterFields, sink: sink)
        state.withLock { $0.received.append(received) }
        let method = received.json["method"]?.string ?? ""
        if method == "initialize" { return initialize(received) }
        guard message.isModern || state.withLock({ $0.sessions.contains(message.session ?? "") }) else {
            return .refused(.unknownSession, Received.response(["jsonrpc": "2.0", "id": received.id, "error": [:]]))
        }
        guard message.envelope.kind == .request else { return .accepted }
        if let result = state.withLock({ $0.results[method] }) {
            received.answer(result)
            return .pending(CallTicket {})
        }
        return hold(received)
    }

    private func initialize(_ call: Received) -> Admission {
        guard isReady else {
            let error = Received.response([
                "jsonrpc": "2.0", "id": call.id, "error": ["code": -32000, "message": .string("\(name) is down")],
            ])
            call.sink.finish(.unavailable(error, retryAfter: 7))
            return .pending(CallTicket {})
        }
        guard state.withLock({ $0.answersInitialize }) else { return hold(call) }
        open(call)
        return .pending(CallTicket {})
    }

    private func hold(_ call: Received) -> Admission {
        state.withLock { $0.held.append(call) }
        return .pending(CallTicket { [self] in state.withLock { $0.withdrawn += 1 } })
    }

    func protocolVersion(session: String, principal: Principal) -> String? {
        sessions.contains(session) ? "2025-11-25" : nil
    }

    func openStream(_ sink: any StreamSink, session: String, principal: Principal) -> Bool {
        state.withLock { state in
            guard state.sessions.contains(session) else { return false }
            state.streams[session] = sink
            return true
        }
    }

    func closeStream(_ sink: any StreamSink, session: String, principal: Principal) {
        state.withLock { $0.streams[session] = nil }
    }

    func touch(session: String, principal: Principal) { state.withLock { $0.touched.append(session) } }

    func endSession(_ session: String, principal: Principal) -> Bool {
        state.withLock { state in
            state.ended.append(session)
            return state.sessions.remove(session) != nil
        }
    }

    var isReady: Bool { state.withLock { $0.isReady } }
    func status() -> ServerStatus { ServerStatus(name: name, state: "running", isolation: "shared") }
}

/// Delays that are over when a test says so.
final class FakeDelays: DelayScheduler {
    private let waiting = LockedValue<[@Sendable () -> Void]>([])

    func after(_ delay: Duration, _ body: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        waiting.update { $0.append(body) }
        return {}
    }

    func runAll() {
        let all = waiting.update { waiting in
            defer { waiting = [] }
            return waiting
        }
        for body in all { body() }
    }
}

/// A client of an aggregate under test.
struct AggregateClient {
    let server: AggregateServer
    let session: String
    var principal = Principal.anonymous
    var servers = Grant.Servers.all

    /// Sends a message and answers what the sink was handed.
    @discardableResult
    func send(_ json: String, _ sink: RecordingSink = RecordingSink()) throws -> RecordingSink {
        if case .refused(_, let bytes) = try admit(json, sink) { sink.finish(.message(bytes)) }
        return sink
    }

    func admit(_ json: String, _ sink: RecordingSink) throws -> Admission {
        let bytes = ByteBuffer(string: json)
        return server.receive(
            ClientMessage(
                bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span), session: session,
                principal: principal, servers: servers), sink: sink)
    }

    /// Sends a request and answers its answer; null where it has none yet.
    func request(_ method: String, _ params: String = "{}", id: String = "1") throws -> JSONValue {
        let sink = try send(#"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":\#(params)}"#)
        return try sink.bodies.first.map { try JSONValue.parse(Array($0.utf8)) } ?? .null
    }

    /// The values by which a list names its entries.
    func names(_ method: String, _ list: String, _ member: String = "name") throws -> [String?] {
        try request(method)["result"]?[list]?.elements?.map { $0[member]?.string } ?? []
    }

    func openStream() -> RecordingStream? {
        let stream = RecordingStream()
        return server.openStream(stream, session: session, principal: principal) ? stream : nil
    }
}
