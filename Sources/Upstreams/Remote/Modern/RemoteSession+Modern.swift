// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import Logging
import NIOCore
import ServerSentEvents
import Synchronization

/// Streamable HTTP of 2026-07-28: a POST for each message, without a session, and a response that nothing resumes.
extension RemoteSession {
    /// The code of an answer that says that headers and body do not agree.
    private static var headerMismatch: Int { -32020 }
    /// How many pages of tools are read to find one.
    private static var pages: Int { 100 }

    /// Sends a message of the modern era and passes on everything that its response says.
    ///
    /// It ends, and the connection with it, once the client has cancelled the call, and soon after its answer where the
    /// server does not end the response itself.
    func deliver(_ call: ModernCall) async {
        defer {
            call.started.set()
            tellIdle()
        }
        guard wire.withLock({ $0 }) != .sse else {
            if let answer = conversation.withLock({ $0.refuseModern(call) }) { await write(answer) }
            return
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.exchange(call) }
            group.addTask { await call.cancelled.wait() }
            group.addTask {
                guard await call.answered.wait() != nil else { return }
                // Cancelled means that the response has ended.
                try? await Task.sleep(for: self.limits.goodbye)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func exchange(_ call: ModernCall) async {
        do throws(RemoteFailure) {
            let fields = conversation.withLock { $0.modern.fields(of: call) }
            guard let mismatch = try await attempt(call, fields, mayRetry: call.method == "tools/call") else { return }
            let better = await refreshed(call)
            guard better != fields else { return await answer(call, mismatch) }
            logger.info("the headers of a tool's parameters have changed", metadata: ["method": "\(call.method)"])
            _ = try await attempt(call, better, mayRetry: false)
        } catch {
            if let message = conversation.withLock({ $0.fail(call, error) }) { await write(message) }
            if call.id == nil, error.reason != .stopped {
                logger.warning("message of the client lost", metadata: ["reason": "\(error.message)"])
            }
        }
    }

    /// Sends a call once; answers the error of a mismatch of headers, which may be tried again instead of passed on.
    private func attempt(
        _ call: ModernCall, _ fields: [HTTPField], mayRetry: Bool
    ) async throws(RemoteFailure) -> ByteBuffer? {
        var mismatch: ByteBuffer?
        try await post(call.bytes, fields, id: call.id, sent: { call.started.set() }) { arrived in
            switch arrived {
            case .tooLong(let start):
                logger.warning("message of the server over the limit dropped")
                let owner = OversizeScanner.salvageID(in: start.span)
                guard owner == call.id || (owner == nil && !call.isSubscription) else { return true }
                let failure = RemoteFailure.tooLong(limits.message)
                if let message = conversation.withLock({ $0.fail(call, failure) }) { await write(message) }
                call.answered.set()
            case .message(let bytes, let envelope):
                switch conversation.withLock({ $0.received(bytes, envelope, for: call) }) {
                case nil: break
                case .pass(let line): await write(line)
                case .answer(let line, let code):
                    if mayRetry, code == Self.headerMismatch {
                        mismatch = line
                        return false
                    }
                    await answer(call, line)
                case .end(let line):
                    await write(line)
                    _ = conversation.withLock { $0.settle(call) }
                    call.answered.set()
                case .drop(let reason):
                    logger.warning("message of the server dropped", metadata: ["reason": "\(reason)"])
                }
            }
            return true
        }
        if mismatch == nil, conversation.withLock({ $0.modern.isOpen(call) }) {
            throw call.isSubscription ? .subscriptionBroken : .broken
        }
        return mismatch
    }

    private func answer(_ call: ModernCall, _ line: ByteBuffer) async {
        var line = line
        if call.method == "tools/list", let listing = ToolListing(line) {
            learn(listing)
            line = listing.message
        }
        if conversation.withLock({ $0.settle(call) }) { await write(line) }
        call.answered.set()
        tellIdle()
    }

    private func learn(_ listing: ToolListing) {
        for dropped in conversation.withLock({ $0.modern.learn(listing) }) {
            logger.warning(
                "a tool of the server is left out: it \(dropped.problem)", metadata: ["tool": "\(dropped.name)"])
        }
    }

    /// Reads the server's tools anew; answers what mirrors the call in headers by what is known then.
    private func refreshed(_ call: ModernCall) async -> [HTTPField] {
        var cursor: [UInt8]?
        for page in 1...Self.pages {
            guard let list = ToolListRequest(for: call, page: page, cursor: cursor) else { break }
            var listing: ToolListing?
            do throws(RemoteFailure) {
                try await post(list.bytes, list.fields, id: list.id, sent: {}) { arrived in
                    guard case .message(let bytes, let envelope) = arrived,
                        case .answer(let line, _) = ModernCalls.judge(bytes, envelope, for: list.id)
                    else { return true }
                    listing = ToolListing(line)
                    return false
                }
            } catch {
                logger.info("the server's tools could not be read", metadata: ["reason": "\(error.message)"])
            }
            guard let listing else { break }
            learn(listing)
            guard let next = listing.next else { break }
            cursor = next
        }
        return conversation.withLock { $0.modern.fields(of: call) }
    }

    // MARK: One POST

    /// What comes in a response.
    private enum Arrived {
        case message(ByteBuffer, Envelope)
        /// The start of a message over the limit.
        case tooLong([UInt8])
    }

    /// Posts a message and hands out what its response says, until it ends or that is enough.
    ///
    /// - Parameters:
    ///   - id: that of the request; nil for a notification, whose response says nothing.
    ///   - body: answers whether to go on.
    private func post(
        _ bytes: ByteBuffer, _ fields: [HTTPField], id: RawID?, sent: @escaping @Sendable () -> Void,
        _ body: (Arrived) async -> Bool
    ) async throws(RemoteFailure) {
        let response = try await send(
            HTTPRequest(
                .post, server.address,
                fields: server.fields + [
                    HTTPField("Accept", "application/json, text/event-stream"),
                    HTTPField("Content-Type", "application/json"),
                ] + fields, body: bytes, sent: sent))
        guard response.isSuccess, let id else {
            let refusal = try await collect(response)
            if response.isSuccess { return }
            // 401 and 403 are told in Lodge's words, which say what to do.
            guard let id, let refusal, ![401, 403].contains(response.status),
                let own = RemoteFailure.addressed(refusal, to: id),
                let envelope = try? MessageScanner.scan(own.readableBytesUInt8Span)
            else { throw .refused(response.status) }
            _ = await body(.message(own, envelope))
            return
        }
        if response.mediaType == "text/event-stream" {
            foundHTTP()
            return try await readModernEvents(response, body)
        }
        guard let whole = try await collect(response) else { throw .tooLong(limits.message) }
        guard let envelope = try? MessageScanner.scan(whole.readableBytesUInt8Span) else {
            throw .unusable("it is no JSON but '\(response.mediaType ?? "of no type")' of \(whole.readableBytes) bytes")
        }
        if case .answer = ModernCalls.judge(whole, envelope, for: id) {
        } else {
            throw .unusable("it answers another call")
        }
        foundHTTP()
        _ = await body(.message(whole, envelope))
    }

    /// A POST that is answered settles which transport the server speaks, for a handshake too.
    private func foundHTTP() {
        wire.withLock { if $0 == .auto { $0 = .http } }
    }

    private func readModernEvents(
        _ response: HTTPResponse, _ body: (Arrived) async -> Bool
    ) async throws(RemoteFailure) {
        var decoder = EventStreamDecoder(limit: limits.message)
        let broken = await read(response, &decoder) { output in
            switch output {
            case .tooLong(let start): return await body(.tooLong(start))
            case .event(let event):
                guard event.type == "message", !event.data.isEmpty else { return true }
                let bytes = ByteBuffer(bytes: event.data)
                do throws(ScanError) {
                    return await body(.message(bytes, try MessageScanner.scan(bytes.readableBytesUInt8Span)))
                } catch {
                    logger.warning("message of the server that cannot be read", metadata: ["reason": "\(error)"])
                    return true
                }
            }
        }
        if broken?.reason == .cancelled { throw .stopped }
    }
}
