// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// What is known of one client's conversation with a server: its handshake, its session, its open calls, of either era.
///
/// A pure state machine: it is told what came and says what is to be done; it sends nothing, and knows no time. Rules:
/// 1. The first answer to a call is passed on, every other one is dropped; a call that was failed here gets none.
/// 2. A call that the client cancelled gets no error of Lodge's making, but the server's answer if there is one.
/// 3. The generation counts sessions; what was learnt in one is not used in another.
/// 4. A message with the envelope of 2026-07-28 is of the modern era, whatever came before; the two eras share nothing
///    but the outcome. A modern call that the client cancelled gets no answer at all.
struct RemoteConversation: Sendable {
    /// What a line of the client asks for.
    enum LineAction: Sendable {
        case post(RemotePost)
        case modern(ModernCall)
        /// These calls are to end; nothing is sent.
        case cancel([ModernCall])
        /// The line is no message; this answers it.
        case reply(ByteBuffer)
        case ignore
    }

    /// What to do with a message of the server.
    enum Receipt: Sendable {
        /// Pass it on; then this post is settled.
        case pass(ByteBuffer, settled: RemotePost?)
        /// It was for Lodge itself.
        case swallow(settled: RemotePost?)
        /// An answer that nobody waits for.
        case drop
    }

    /// What a response's head asks for.
    enum HeadAction: Hashable, Sendable {
        /// Nothing more comes.
        case accepted
        case readMessage, readEvents
        case sessionLost
        /// The server may speak the older transport only.
        case tryOlderTransport
        case refused
    }

    /// How it went, for the exit status.
    enum Outcome: Hashable, Sendable {
        case untried, succeeded, unauthorized, unreachable, failed
    }

    private struct Pending: Sendable {
        let post: RemotePost
        var calls: Set<RawID>
        var cancelled: Set<RawID> = []
    }

    private struct Handshake: Sendable {
        let initialize: ByteBuffer
        let id: RawID
        var initialized: ByteBuffer?
    }

    /// Set here and by the modern era.
    var outcome = Outcome.untried
    /// Counts what was said, by either side, in either era.
    var activity = 0
    /// The side of the modern era.
    var modern = ModernCalls()
    private(set) var generation = 0
    /// What `Mcp-Session-Id` has to say.
    private(set) var session: String?
    /// What `MCP-Protocol-Version` has to say.
    private(set) var version: String?
    private var handshake: Handshake?
    private var pending: [Int: Pending] = [:]
    private var lastNumber = 0

    var hasOpenCalls: Bool {
        modern.areAwaited || pending.values.contains { !$0.calls.isSubset(of: $0.cancelled) }
    }
    /// Whether the client has begun a handshake.
    var hasHandshake: Bool { handshake != nil }
    /// What tells the server of a new session that the client is ready.
    var initialized: ByteBuffer? { handshake?.initialized }

    // MARK: From the client

    mutating func take(_ bytes: ByteBuffer) -> LineAction {
        activity += 1
        let span = bytes.readableBytesUInt8Span
        do throws(ScanError) {
            let envelope = try MessageScanner.scan(span)
            if let action = takeModern(bytes, envelope) { return action }
            switch envelope.kind {
            case .invalid, .notAnObject:
                return .reply(
                    Self.error(
                        envelope.id.map { RawID(span, $0) }, -32600,
                        "the line is no JSON-RPC message; it has neither method nor result nor error"))
            case .batch: return .post(try batch(bytes))
            case .request: return .post(request(bytes, envelope))
            case .notification: return .post(notification(bytes, envelope))
            case .response, .errorResponse: return .post(enter(.notice, bytes, []))
            }
        } catch {
            if error.reason == .empty { return .ignore }
            return .reply(Self.error(OversizeScanner.salvageID(in: span), -32700, error.description))
        }
    }

    /// Answers a line that was too long to be held.
    static func tooLong(_ findings: OversizeScanner.Findings, limit: Int) -> ByteBuffer {
        error(
            findings.hasMethod ? findings.id : nil, -32600,
            "the message is over the limit of \(limit >> 20) MiB; send less at a time")
    }

    static func error(_ id: RawID?, _ code: Int, _ message: String) -> ByteBuffer {
        ByteBuffer(bytes: MessageBuilder.error(id: id, code: code, message: message))
    }

    private mutating func request(_ bytes: ByteBuffer, _ envelope: Envelope) -> RemotePost {
        let span = bytes.readableBytesUInt8Span
        let id = envelope.id.map { RawID(span, $0) } ?? RawID(0)
        guard Self.isMethod(envelope, "initialize", span) else { return enter(.request, bytes, [id]) }
        // A client that begins anew begins without what it had.
        (session, version) = (nil, nil)
        handshake = Handshake(initialize: bytes, id: id)
        return enter(.initialize, bytes, [id])
    }

    private mutating func notification(_ bytes: ByteBuffer, _ envelope: Envelope) -> RemotePost {
        let span = bytes.readableBytesUInt8Span
        if Self.isMethod(envelope, "notifications/cancelled", span), let range = envelope.requestID {
            let id = RawID(span, range)
            for number in pending.keys where pending[number]?.calls.contains(id) == true {
                pending[number]?.cancelled.insert(id)
            }
        }
        guard Self.isMethod(envelope, "notifications/initialized", span) else { return enter(.notice, bytes, []) }
        handshake?.initialized = bytes
        return enter(.initialized, bytes, [])
    }

    private mutating func batch(_ bytes: ByteBuffer) throws(ScanError) -> RemotePost {
        let span = bytes.readableBytesUInt8Span
        var calls: [RawID] = []
        for range in try MessageScanner.batchElements(of: span) {
            let element = span.extracting(range)
            let envelope = try MessageScanner.scan(element)
            if envelope.kind == .request, let id = envelope.id { calls.append(RawID(element, id)) }
        }
        return enter(calls.isEmpty ? .notice : .request, bytes, calls)
    }

    private mutating func enter(_ role: RemotePost.Role, _ bytes: ByteBuffer, _ calls: [RawID]) -> RemotePost {
        lastNumber += 1
        let post = RemotePost(number: lastNumber, role: role, bytes: bytes, calls: calls)
        if !calls.isEmpty { pending[post.number] = Pending(post: post, calls: Set(calls)) }
        return post
    }

    static func isMethod(_ envelope: Envelope, _ name: StaticString, _ bytes: Span<UInt8>) -> Bool {
        envelope.method.map { JSONString.equals(bytes, contents: $0, name) } ?? false
    }

    // MARK: From the server

    /// What to do with the response to a post.
    ///
    /// - Parameter olderMayBe: whether it is open yet which transport the server speaks.
    static func judge(
        _ post: RemotePost, status: Int, mediaType: String?, namedSession: Bool, olderMayBe: Bool
    ) -> HeadAction {
        if (200..<300).contains(status) {
            if mediaType == "text/event-stream" { return .readEvents }
            return post.calls.isEmpty ? .accepted : .readMessage
        }
        if status == 404, namedSession, post.role != .initialize { return .sessionLost }
        // The order of the specification: POST first, and on these statuses the older transport (2025-03-26 and later,
        // basic/transports, backwards compatibility).
        if olderMayBe, post.role == .initialize, [400, 404, 405].contains(status) { return .tryOlderTransport }
        return .refused
    }

    /// Takes the session that the head of an answer to `initialize` names.
    mutating func began(_ session: String?, by post: RemotePost) {
        if post.role == .initialize || post.role == .renewal { self.session = session }
    }

    /// Takes one message of the server.
    ///
    /// - Parameter post: the post whose response it came in; nil for a stream of its own.
    mutating func received(_ bytes: ByteBuffer, _ envelope: Envelope, over post: RemotePost?) -> Receipt {
        activity += 1
        let line = Self.line(bytes, envelope)
        let span = bytes.readableBytesUInt8Span
        guard envelope.kind == .response || envelope.kind == .errorResponse else {
            return .pass(line, settled: nil)
        }
        guard let range = envelope.id, let number = owner(of: RawID(span, range), preferring: post?.number),
            let answered = pending[number]?.post
        else { return .drop }
        outcome = .succeeded
        if envelope.kind == .response, answered.role == .initialize || answered.role == .renewal {
            version = envelope.protocolVersion.flatMap { JSONString.decode(span, $0) }
            generation += 1
        }
        let settled = settle(RawID(span, range), of: number) ? answered : nil
        return answered.role == .renewal ? .swallow(settled: settled) : .pass(line, settled: settled)
    }

    private func owner(of id: RawID, preferring number: Int?) -> Int? {
        if let number, pending[number]?.calls.contains(id) == true { return number }
        return pending.filter { $0.value.calls.contains(id) }.keys.min()
    }

    private mutating func settle(_ id: RawID, of number: Int) -> Bool {
        pending[number]?.calls.remove(id)
        guard pending[number]?.calls.isEmpty == true else { return false }
        pending[number] = nil
        return true
    }

    /// The message on one line, as it came.
    static func line(_ bytes: ByteBuffer, _ envelope: Envelope) -> ByteBuffer {
        let value = bytes.getSlice(at: bytes.readerIndex + envelope.value.lowerBound, length: envelope.value.count)
        guard envelope.hasInnerLineBreaks else { return value ?? bytes }
        var blanked = Array(copying: bytes.readableBytesUInt8Span.extracting(envelope.value))
        LineBreaks.blank(&blanked)
        return ByteBuffer(bytes: blanked)
    }

    // MARK: Failures

    /// Ends what is open of a post; answers what its callers are told.
    mutating func fail(_ post: RemotePost, _ failure: RemoteFailure) -> [ByteBuffer] {
        note(failure)
        guard let open = pending.removeValue(forKey: post.number), post.role != .renewal else { return [] }
        return post.calls.filter { open.calls.contains($0) && !open.cancelled.contains($0) }
            .map { failure.message(for: $0) }
    }

    /// Remembers how the first call went that did not go well.
    mutating func note(_ failure: RemoteFailure) {
        guard outcome == .untried else { return }
        switch failure.reason {
        case .unauthorized, .forbidden: outcome = .unauthorized
        case .unreachable: outcome = .unreachable
        case .stopped: break
        default: outcome = .failed
        }
    }

    /// Ends every open call of the handshake's era, as when the one stream for their answers has ended.
    mutating func failAll(_ failure: RemoteFailure) -> (messages: [ByteBuffer], settled: [RemotePost]) {
        let posts = pending.values.map(\.post).sorted { $0.number < $1.number }
        return (posts.flatMap { fail($0, failure) }, posts)
    }

    /// The post that this call belongs to.
    func post(of id: RawID) -> RemotePost? { owner(of: id, preferring: nil).flatMap { pending[$0]?.post } }

    func isOpen(_ post: RemotePost) -> Bool {
        pending[post.number].map { !$0.calls.isSubset(of: $0.cancelled) } ?? false
    }

    // MARK: A new session

    /// Begins a new session in the client's name; nil where the client never began one.
    mutating func renew() -> RemotePost? {
        guard let handshake else { return nil }
        (session, version) = (nil, nil)
        return enter(.renewal, handshake.initialize, [handshake.id])
    }
}
