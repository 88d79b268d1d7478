// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import NIOCore
import Synchronization

@testable import Gateway

/// A server that answers when its test says so, and remembers what it was told.
final class FakeRelay: ServerRelay {
    /// A request that waits for its answer.
    struct Call: Sendable {
        let message: ClientMessage
        let sink: any CallSink
        var text: String { String(buffer: message.bytes) }

        /// Answers with a result that names its call.
        func answer(_ result: String = "{}") {
            sink.finish(.message(response(result)))
        }

        func response(_ result: String) -> MessageBytes {
            let bytes = message.bytes
            let id = message.envelope.id.map { RawID(bytes.readableBytesUInt8Span, $0) }
            return MessageBytes(bytes: MessageBuilder.result(id: id ?? RawID(0), Array(result.utf8)))
        }
    }

    private struct State {
        var versions: [String: String] = [:]
        var messages: [String] = []
        var withdrawn = 0
        var touched = 0
        var ended: [String] = []
        var stream: (any StreamSink)?
    }

    let name: String
    let isStateless: Bool
    /// Decides instead of the test where it answers something.
    private let admit: @Sendable (ClientMessage, any CallSink) -> Admission?
    private let ready = Atomic<Bool>(true)
    private let state = Mutex(State())
    private let calls = Mailbox<Call>()
    private let withdrawals = Mailbox<Int>()
    private let streams = Mailbox<any StreamSink>()
    private let closedStreams = Mailbox<Int>()
    private let touches = Mailbox<Int>()

    init(
        _ name: String = "files", isStateless: Bool = false,
        admit: @escaping @Sendable (ClientMessage, any CallSink) -> Admission? = { _, _ in nil }
    ) {
        self.name = name
        self.isStateless = isStateless
        self.admit = admit
    }

    // MARK: For tests

    func addSession(_ id: String, version: String = "2025-11-25") { state.withLock { $0.versions[id] = version } }
    func setReady(_ isReady: Bool) { ready.store(isReady, ordering: .relaxed) }
    func nextCall() async -> Call { await calls.next() }
    /// Waits until one more request was given up; answers how many were.
    func nextWithdrawal() async -> Int { await withdrawals.next() }
    func nextStream() async -> any StreamSink { await streams.next() }
    func nextClosedStream() async { _ = await closedStreams.next() }
    func nextTouch() async { _ = await touches.next() }
    var messages: [String] { state.withLock { $0.messages } }
    var ended: [String] { state.withLock { $0.ended } }

    // MARK: ServerRelay

    func receive(_ message: ClientMessage, sink: any CallSink) -> Admission {
        state.withLock { $0.messages.append(String(buffer: message.bytes)) }
        if let admission = admit(message, sink) { return admission }
        guard message.envelope.kind == .request else { return .accepted }
        calls.put(Call(message: message, sink: sink))
        return .pending(ticket())
    }

    func ticket() -> CallTicket {
        CallTicket {
            self.withdrawals.put(
                self.state.withLock {
                    $0.withdrawn += 1
                    return $0.withdrawn
                })
        }
    }

    func protocolVersion(session: String, principal: Principal) -> String? {
        state.withLock { $0.versions[session] }
    }

    func openStream(_ sink: any StreamSink, session: String, principal: Principal) -> Bool {
        let (isKnown, older) = state.withLock { state -> (Bool, (any StreamSink)?) in
            guard state.versions[session] != nil else { return (false, nil) }
            defer { state.stream = sink }
            return (true, state.stream)
        }
        older?.close()
        if isKnown { streams.put(sink) }
        return isKnown
    }

    func closeStream(_ sink: any StreamSink, session: String, principal: Principal) {
        state.withLock { if $0.stream === sink { $0.stream = nil } }
        closedStreams.put(0)
    }

    func touch(session: String, principal: Principal) { touches.put(0) }

    func endSession(_ session: String, principal: Principal) -> Bool {
        let (wasKnown, stream) = state.withLock { state in
            state.ended.append(session)
            defer { state.stream = nil }
            return (state.versions.removeValue(forKey: session) != nil, state.stream)
        }
        stream?.close()
        return wasKnown
    }

    var isReady: Bool { ready.load(ordering: .relaxed) }

    func status() -> ServerStatus {
        var status = ServerStatus(name: name, state: "running", isolation: "shared")
        status.ready = isReady
        status.lastActivity = 1_709_208_000
        status.sessions = state.withLock { $0.versions.count }
        return status
    }
}

/// Values that one task waits for and others bring.
final class Mailbox<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() { (stream, continuation) = AsyncStream.makeStream() }

    func put(_ value: Value) { continuation.yield(value) }

    func next() async -> Value {
        for await value in stream { return value }
        preconditionFailure("a test waited beyond its time limit")
    }
}
