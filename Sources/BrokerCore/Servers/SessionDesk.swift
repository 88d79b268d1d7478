// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import LodgeConfiguration
import MCPProtocol
import NIOCore
import Synchronization

/// Opens, finds and ends the legacy sessions of one server: the table, its lock, and the signed ids.
///
/// It does not know upstreams; `Attachment` is what its server keeps with a session.
final class SessionDesk<Attachment: Sendable>: Sendable {
    typealias Session = SessionTable<Attachment>.Session

    private let table: Mutex<SessionTable<Attachment>>
    private let server: String
    private let isolation: Isolation
    private let ports: ServerPorts

    init(server: String, isolation: Isolation, limits: SessionLimits, ports: ServerPorts) {
        table = Mutex(SessionTable(limits: limits))
        self.server = server
        self.isolation = isolation
        self.ports = ports
    }

    var count: Int { table.withLock { $0.count } }

    /// Opens a session; nil where every one is in use.
    func open(
        principal: Principal, version: String, capabilities: UInt64, attachment: Attachment
    ) -> (id: String, key: SessionKey, evicted: Session?)? {
        let known = ProtocolVersion(rawValue: version) ?? .november2024
        let statement = SessionStatement(
            server: server, principal: principal.name, protocolVersion: known, isolation: isolation,
            capabilities: capabilities, issuedAt: ports.wallClock(), nonce: ports.random())
        let id = ports.sessionIDs.id(for: statement)
        let opening = table.withLock {
            $0.open(
                id: id, principal: principal, protocolVersion: known, attachment: attachment, now: ports.now())
        }
        guard case .opened(let key, let evicted) = opening else { return nil }
        return (id, key, evicted)
    }

    /// Ends the session that has been idle longest, to make room for another; nil where every one is in use.
    func makeRoom() -> Session? { table.withLock { $0.makeRoom(now: ports.now()) } }

    func use(_ id: String, principal: Principal) -> Session? {
        table.withLock { $0.use(id: id, principal: principal, now: ports.now()) }
    }

    /// Notes that a session's client is there, though it sent nothing.
    func touch(_ id: String, principal: Principal) {
        _ = table.withLock { $0.touch(id: id, principal: principal, now: ports.now()) }
    }

    /// When a client last sent something, in seconds since 1970; nil where none did.
    var lastActivity: UInt64? {
        guard let instant = table.withLock({ $0.lastActivity }) else { return nil }
        return ports.wallClock() - UInt64(max(0, instant.duration(to: ports.now()).components.seconds))
    }

    /// Notes that a client sent something that belongs to no session.
    func noteActivity() { table.withLock { $0.noteActivity(now: ports.now()) } }

    func find(_ id: String, principal: Principal) -> Session? {
        table.withLock { $0.find(id: id, principal: principal, now: ports.now()) }
    }

    func end(_ id: String, principal: Principal) -> Session? {
        table.withLock { table in
            guard table.find(id: id, principal: principal, now: ports.now()) != nil else { return nil }
            return table.end(id: id)
        }
    }

    func end(where condition: (Session) -> Bool) -> [Session] {
        table.withLock { $0.end(where: condition) }
    }

    /// Ends the sessions that are over their time, and answers them; one that is busy is not idle.
    func sweep(isBusy: (Session) -> Bool) -> [Session] {
        table.withLock { $0.sweep(now: ports.now(), isBusy: isBusy) }
    }

    var all: [Session] { table.withLock { Array($0.all) } }
}

extension ClientMessage {
    /// What a client says in its `initialize`; nil where it is not a request with a version.
    ///
    /// - Parameter era: that of the server, which decides what has to be known of the client.
    func initializeCall(
        sink: any CallSink, deadline: ContinuousClock.Instant, era: Era = .legacy
    ) -> InitializeCall? {
        let buffer = bytes
        let span = buffer.readableBytesUInt8Span
        guard let id = envelope.id, let params = envelope.params else { return nil }
        var capabilities: UInt64 = 0
        var declared: [UInt8]? = Array("{}".utf8)
        if case .value(let range) = JSONMembers.find("capabilities", in: span, object: params) {
            var raw = Array(copying: span.extracting(range))
            capabilities = StableDigest.of(raw)
            if span[range.lowerBound] == UInt8(ascii: "{") {
                LineBreaks.blank(&raw)
                declared = raw.count <= InitializeCall.declaredLimit ? raw : nil
            }
        }
        guard let version = envelope.string(envelope.protocolVersion, in: span) else { return nil }
        var call = InitializeCall(
            sink: sink, principal: principal, id: RawID(span, id), askedVersion: version,
            capabilities: capabilities, declared: declared, opensSession: !isStateless, deadline: deadline, held: nil)
        if era == .modern, let said = try? JSONValue.parse(span.extracting(params)) {
            call.declaration = ClientDeclaration(initialize: said)
        }
        return call
    }

    /// The refusals that every server has in common.
    var requestID: RawID? {
        let buffer = bytes
        return envelope.id.map { RawID(buffer.readableBytesUInt8Span, $0) }
    }

    func missingSession() -> Admission {
        .refused(
            .invalid,
            LodgeMessage.error(
                id: requestID, code: -32600,
                message: "the request names no session; send initialize first and repeat its Mcp-Session-Id"))
    }

    func unknownSession() -> Admission {
        .refused(
            .unknownSession,
            LodgeMessage.error(
                id: requestID, code: -32001, message: "unknown session; send initialize to open a new one"))
    }

    func malformedInitialize() -> Admission {
        .refused(
            .invalid,
            LodgeMessage.error(id: requestID, code: -32602, message: "initialize needs params with a protocolVersion"))
    }

    func oversizeCapabilities() -> Admission {
        .refused(
            .invalid,
            LodgeMessage.error(
                id: requestID, code: -32602,
                message: "initialize declares more than 64 KiB of capabilities; declare less"))
    }

    static func fullAnswer(id: RawID, server: String) -> Answer {
        .unavailable(
            LodgeMessage.error(
                id: id, code: CallFailure.code,
                message: "every session of server '\(server)' is in use; end one or wait"),
            retryAfter: 60)
    }

    /// The same for a modern request, which has no session.
    static func fullModernAnswer(id: RawID?, server: String) -> Answer {
        ModernError(
            code: ErrorCode.internalError,
            message: "every upstream of server '\(server)' is in use; wait, or end a client that needs none"
        ).answer(id: id)
    }
}
