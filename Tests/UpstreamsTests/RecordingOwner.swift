// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import LodgeConfiguration
import Logging
import NIOCore
import Synchronization

/// An upstream's owner that keeps what it is told, for a test that waits for it.
final class RecordingOwner: Upstream.Owner {
    enum News: Sendable, Equatable {
        /// Nil is success.
        case handshake(String?)
        case ended(Ending.Cause, stderrTail: [String])
    }

    let news: AsyncStream<News>
    private let report: AsyncStream<News>.Continuation

    init() { (news, report) = AsyncStream.makeStream() }

    func open(_ call: InitializeCall, answer: MessageBytes, version: String, upstream: Upstream) {}

    func handshakeEnded(failure: String?, upstream: Upstream) { report.yield(.handshake(failure)) }

    func generationEnded(_ ending: Ending, upstream: Upstream) {
        report.yield(.ended(ending.cause, stderrTail: ending.stderrTail))
    }

    /// An upstream of one shared server, which Lodge itself shakes hands with.
    func upstream() -> Upstream {
        let configuration = Multiplexer.Configuration(server: "files", isolation: .shared, clientVersion: "9.9.9")
        let ports = ServerPorts(
            supervisor: IdleSupervisor(), sessionIDs: SessionIDs(signing: NoSigning()), callLog: nil, logger: .quiet,
            now: { .now }, wallClock: { 0 })
        return Upstream(configuration, owner: self, ports: ports)
    }
}

/// Starts and stops nothing: the tests here do that themselves.
struct IdleSupervisor: UpstreamSupervisor {
    func start(_ upstream: Upstream, restarts: Bool) {}
    func stop(_ upstream: Upstream) {}
}

/// Accepts no id at all; nothing here opens a session.
struct NoSigning: SessionSigning {
    var keyID: [UInt8] { [0, 0, 0, 0] }
    func signature(of bytes: [UInt8]) -> [UInt8] { [] }
    func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool { false }
}

extension Logger {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Takes a server's messages and forgets them.
final class ForgetfulConnection: UpstreamConnection {
    func send(_ message: MessageBytes) -> Bool { true }
}

/// Never calls back.
struct StoppedTimer: DeadlineTimer {
    func arm(at deadline: ContinuousClock.Instant) {}
}

/// A client request's sink that keeps the answers.
final class RecordingSink: CallSink {
    private let state = Mutex<[String]>([])

    let acceptsStream = true
    var answers: [String] { state.withLock { $0 } }

    func deliver(_ message: MessageBytes) {}
    func finish(_ answer: Answer) { state.withLock { $0.append(String(buffer: answer.bytes.joined())) } }
}

extension ClientMessage {
    static func of(_ json: String) throws -> ClientMessage {
        let bytes = ByteBuffer(string: json)
        return ClientMessage(
            bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span), session: nil,
            principal: .anonymous)
    }
}
