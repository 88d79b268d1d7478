// SPDX-License-Identifier: Apache-2.0
import LodgeConfiguration
import Logging
import Secrets
import Synchronization

@testable import BrokerCore

extension Multiplexer {
    var lastTicketUsed: Ticket { lastTicket }
}

extension Principal {
    static let alice = Principal(name: "alice")
    static let bob = Principal(name: "bob")
}

/// A clock that stands until a test moves it.
struct ManualClock: Sendable {
    private let time = LockedValue(ContinuousClock.now)

    var now: ContinuousClock.Instant { time.value }
    func advance(by duration: Duration) { time.update { $0 = $0.advanced(by: duration) } }
}

/// A value that closures on several threads share.
final class LockedValue<Value: Sendable>: Sendable {
    private let state: Mutex<Value>

    init(_ value: Value) { state = Mutex(value) }

    var value: Value { state.withLock { $0 } }

    @discardableResult
    func update<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        state.withLock { value in body(&value) }
    }
}

/// Signs session ids with a key that is the same in every test.
struct TestSigning: SessionSigning {
    private let key: SessionSigningKey

    init?(keyByte: UInt8 = 7) {
        guard let key = SessionSigningKey([UInt8](repeating: keyByte, count: SessionSigningKey.keyLength)) else {
            return nil
        }
        self.key = key
    }

    var keyID: [UInt8] { key.keyID }
    func signature(of bytes: [UInt8]) -> [UInt8] { key.sign(bytes) }
    func isSignature(_ signature: [UInt8], of bytes: [UInt8]) -> Bool { key.verify(signature, for: bytes) }
}

/// Keeps the records of finished calls.
final class RecordingCallLog: CallLog {
    private let state = Mutex<[CallRecord]>([])

    var records: [CallRecord] { state.withLock { $0 } }
    func record(_ record: CallRecord) { state.withLock { $0.append(record) } }
}

/// What a whole server needs around it in a test: a supervisor that starts nothing, a clock, a call log.
struct ServerFixture {
    struct NoKey: Error {}

    let supervisor = FakeSupervisor()
    let clock = ManualClock()
    let callLog = RecordingCallLog()
    /// Runs while a session is being opened, outside every lock.
    let whileOpening = LockedValue<(@Sendable () -> Void)?>(nil)
    private let signing: TestSigning

    init() throws {
        guard let signing = TestSigning() else { throw NoKey() }
        self.signing = signing
    }

    var ports: ServerPorts {
        let (clock, whileOpening) = (clock, whileOpening)
        let nonce = LockedValue<UInt64>(0)
        var logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        logger.logLevel = .critical
        return ServerPorts(
            supervisor: supervisor, sessionIDs: SessionIDs(signing: signing), callLog: callLog, logger: logger,
            now: { clock.now }, wallClock: { 1_700_000_000 },
            random: {
                whileOpening.value?()
                return nonce.update { nonce in
                    nonce += 1
                    return nonce
                }
            })
    }

    private func configuration(
        _ isolation: Isolation, _ adjust: (inout ServerConfiguration) -> Void
    ) -> ServerConfiguration {
        var configuration = ServerConfiguration(
            Multiplexer.Configuration(server: "files", isolation: isolation, clientVersion: "9.9.9"))
        adjust(&configuration)
        return configuration
    }

    /// - Parameter isolation: any but `client`.
    func sharedServer(
        isolation: Isolation = .shared, observer: (any ServerObserver)? = nil,
        _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) -> SharedServer {
        var ports = ports
        ports.observer = observer
        let server = SharedServer(configuration(isolation, adjust), ports: ports)
        server.start()
        return server
    }

    func clientServer(
        observer: (any ServerObserver)? = nil, _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) -> ClientServer {
        var ports = ports
        ports.observer = observer
        let server = ClientServer(configuration(.client, adjust), ports: ports)
        server.start()
        return server
    }

    /// A session of a server that is ready.
    func open(
        _ server: SharedServer, capabilities: String = "{}", principal: Principal = .alice
    ) throws -> String {
        let sink = RecordingSink()
        let initialize = Sample.initialize.replacing(
            #""capabilities":{}"#, with: #""capabilities":\#(capabilities)"#)
        _ = server.receive(try .of(initialize, principal: principal), sink: sink)
        guard let session = sink.openedSession else { throw NoKey() }
        return session
    }

    /// The upstream that was started last.
    func lastStarted() throws -> Upstream {
        guard let start = supervisor.starts.last else { throw NoKey() }
        return start.upstream
    }
}
