// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import Logging
import NIOCore
import ServerSentEvents
import Synchronization

/// Streamable HTTP: a POST for each message, and its response.
extension RemoteSession {
    /// What a request says besides its body.
    func fields(session: String?, accept: String? = nil) -> [HTTPField] {
        var fields = server.fields
        if let accept { fields.append(HTTPField("Accept", accept)) }
        if let session { fields.append(HTTPField("Mcp-Session-Id", session)) }
        if let version = conversation.withLock({ $0.version }) {
            fields.append(HTTPField("MCP-Protocol-Version", version))
        }
        return fields
    }

    func posting(_ post: RemotePost, to address: WebAddress, session: String?) -> HTTPRequest {
        HTTPRequest(
            .post, address,
            fields: fields(session: session, accept: "application/json, text/event-stream")
                + [HTTPField("Content-Type", "application/json")],
            body: post.bytes
        ) {
            if post.startsWhenSent { post.started.set() }
        }
    }

    func send(_ request: HTTPRequest) async throws(RemoteFailure) -> HTTPResponse {
        do { return try await transport.send(request) } catch { throw RemoteFailure(error, request.address) }
    }

    func collect(_ response: HTTPResponse) async throws(RemoteFailure) -> ByteBuffer? {
        do { return try await response.body.collect(upTo: limits.message) } catch {
            throw RemoteFailure(error, server.address)
        }
    }

    /// Delivers a message and reads everything that its response says.
    func deliverOverPosts(_ post: RemotePost) async throws(RemoteFailure) {
        for attempt in 0...1 {
            let (session, generation) = conversation.withLock { ($0.session, $0.generation) }
            let response = try await send(posting(post, to: server.address, session: session))
            let action = RemoteConversation.judge(
                post, status: response.status, mediaType: response.mediaType, namedSession: session != nil,
                olderMayBe: wire.withLock { $0 } == .auto)
            if response.isSuccess {
                conversation.withLock { $0.began(response["Mcp-Session-Id"], by: post) }
                if post.role == .initialize { wire.withLock { $0 = .http } }
            }
            switch action {
            case .accepted: _ = try await collect(response)
            case .readMessage: try await readMessage(response, post)
            case .readEvents: try await readEvents(response, post)
            case .refused: throw try await refusal(response)
            case .tryOlderTransport:
                let refusal = try await refusal(response)
                // A server that says so in the modern era's own words has a POST, and no older transport (2026-07-28,
                // basic/transports/streamable-http, backward compatibility).
                guard !refusal.isOfModernEra else { throw refusal }
                return try await tryOlderTransport(post, after: refusal)
            case .sessionLost:
                _ = try await collect(response)
                // A notice belongs to the session that is gone; the next call finds out by itself.
                guard attempt == 0, !post.calls.isEmpty else { throw .sessionEnded }
                try await renew(after: generation)
                continue
            }
            if post.role == .initialized { await openOwnStream() }
            return
        }
    }

    /// What a refusal says; a JSON-RPC error in it is the answer.
    private func refusal(_ response: HTTPResponse) async throws(RemoteFailure) -> RemoteFailure {
        .refused(response.status, answer: try await collect(response))
    }

    private func readMessage(_ response: HTTPResponse, _ post: RemotePost) async throws(RemoteFailure) {
        guard let bytes = try await collect(response) else { throw .tooLong(limits.message) }
        guard (try? MessageScanner.scan(bytes.readableBytesUInt8Span)) != nil else {
            throw .unusable("it is no JSON but '\(response.mediaType ?? "of no type")' of \(bytes.readableBytes) bytes")
        }
        await take(bytes, over: post)
        guard !conversation.withLock({ $0.isOpen(post) }) else { throw .unusable("it answers another call") }
    }

    // MARK: Event streams

    /// Reads the stream that answers a post; where it breaks before the answer, goes on by GET (2025-11-25,
    /// basic/transports, resumability).
    func readEvents(_ first: HTTPResponse, _ post: RemotePost, onlyAnswer: Bool = false) async throws(RemoteFailure) {
        var decoder = EventStreamDecoder(limit: limits.message)
        var response: HTTPResponse? = first
        var attempts = 0
        var reached: String?
        while true {
            if let open = response.take() {
                let broken = await read(open, &decoder) { output in
                    await self.take(output, over: post)
                    return !(onlyAnswer && post.settled.value != nil)
                }
                if let broken, broken.reason == .cancelled { throw .stopped }
            }
            guard conversation.withLock({ $0.isOpen(post) }) else { return }
            if decoder.lastEventID != reached { attempts = 0 }
            reached = decoder.lastEventID
            guard let reached, attempts < Self.resumptions else { throw .broken }
            attempts += 1
            logger.debug("answer's stream broke", metadata: ["resumes": "\(attempts)"])
            try await pause(attempts, decoder.retry)
            decoder.restart()
            response = try await resume(reached)
        }
    }

    /// How often a stream is opened again without a further event before its call fails.
    private static var resumptions: Int { 5 }

    /// Opens a broken stream again; nil where that may be tried once more.
    private func resume(_ id: String) async throws(RemoteFailure) -> HTTPResponse? {
        let session = conversation.withLock { $0.session }
        let request = HTTPRequest(
            .get, server.address,
            fields: fields(session: session, accept: "text/event-stream") + [HTTPField("Last-Event-ID", id)])
        let response: HTTPResponse
        do { response = try await transport.send(request) } catch {
            if error.reason == .cancelled { throw .stopped }
            return nil
        }
        if response.isSuccess, response.mediaType == "text/event-stream" { return response }
        _ = try await collect(response)
        if response.status >= 500 { return nil }
        throw response.status == 404 ? .sessionEnded : .broken
    }

    /// Reads a stream to its end, or until it is enough; answers what broke it.
    func read(
        _ response: HTTPResponse, _ decoder: inout EventStreamDecoder,
        _ body: (EventStreamDecoder.Output) async -> Bool
    ) async -> HTTPTransportError? {
        var chunks = response.body.makeAsyncIterator()
        do throws(HTTPTransportError) {
            while let chunk = try await chunks.next() {
                for output in decoder.decode(chunk.readableBytesUInt8Span) where await !body(output) { return nil }
            }
            return nil
        } catch {
            return error
        }
    }

    /// Takes one event; what is no message is none of the client's business.
    func take(_ output: EventStreamDecoder.Output, over post: RemotePost?) async {
        switch output {
        case .event(let event):
            guard event.type == "message", !event.data.isEmpty else { return }
            await take(ByteBuffer(bytes: event.data), over: post)
        case .tooLong(let start):
            logger.warning("message of the server over the limit dropped")
            let owner = OversizeScanner.salvageID(in: start.span).flatMap { id in
                conversation.withLock { $0.post(of: id) }
            }
            guard let failed = owner ?? post else { return }
            await report(.tooLong(limits.message), of: failed)
            tellIdle()
        }
    }

    /// Waits before a stream is opened again: as long as the server wants, or longer each time.
    func pause(_ attempt: Int, _ retry: Int?) async throws(RemoteFailure) {
        let doubled = limits.reconnect * (1 << min(attempt - 1, 5))
        let wait = retry.map { Duration.milliseconds(min($0, 86_400_000)) } ?? min(doubled, .seconds(30))
        do { try await Task.sleep(for: wait) } catch { throw .stopped }
    }

    // MARK: A new session

    /// Begins a new session with the client's own `initialize`, unless somebody else did meanwhile.
    private func renew(after generation: Int) async throws(RemoteFailure) {
        await turn.enter()
        defer { turn.leave() }
        guard conversation.withLock({ $0.generation }) == generation else { return }
        guard let post = conversation.withLock({ $0.renew() }) else { throw .sessionEnded }
        logger.notice("the server has ended the session; a new one is begun")
        do throws(RemoteFailure) {
            let response = try await send(posting(post, to: server.address, session: nil))
            guard response.isSuccess else { throw try await refusal(response) }
            conversation.withLock { $0.began(response["Mcp-Session-Id"], by: post) }
            if response.mediaType == "text/event-stream" {
                try await readEvents(response, post, onlyAnswer: true)
            } else {
                try await readMessage(response, post)
            }
            guard conversation.withLock({ $0.generation }) != generation else { throw .sessionEnded }
        } catch {
            _ = conversation.withLock { $0.fail(post, error) }
            logger.warning("no new session", metadata: ["reason": "\(error.message)"])
            throw error.reason == .stopped ? .stopped : .sessionEnded
        }
        try await sayInitialized(to: server.address)
        await openOwnStream()
    }

    /// Says in a new session what the client said in its first.
    func sayInitialized(to address: WebAddress) async throws(RemoteFailure) {
        guard let bytes = conversation.withLock({ $0.initialized }) else { return }
        let post = RemotePost(number: 0, role: .initialized, bytes: bytes, calls: [])
        let session = conversation.withLock { $0.session }
        _ = try await collect(try await send(posting(post, to: address, session: session)))
    }
}
