// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import Logging
import NIOCore
import ServerSentEvents
import Synchronization

/// The one stream of HTTP+SSE (2024-11-05): its first event names where to post, all answers come over it.
final class EventsLink: Sendable {
    let endpoint = Arrival<Result<WebAddress, RemoteFailure>>()
    let ended = Arrival<Void>()
}

/// HTTP+SSE: every message is posted to the endpoint that the stream names.
extension RemoteSession {
    func deliverOverEvents(_ post: RemotePost) async throws(RemoteFailure) {
        let (link, endpoint) = try await openLink(for: post)
        let response = try await send(posting(post, to: endpoint, session: nil))
        let body = try await collect(response)
        guard response.isSuccess else { throw .refused(response.status, answer: body) }
        if post.startsWhenSent || post.calls.isEmpty { post.started.set() }
        // The answer comes over the stream. If that has ended, it came too late to fail this call.
        guard link.ended.value == nil else { throw .broken }
        // The time that this task lives is the time that the call is open.
        await post.settled.wait()
    }

    /// A server that refused a POST: where it has no older transport either, the refusal stands.
    func tryOlderTransport(_ post: RemotePost, after refusal: RemoteFailure) async throws(RemoteFailure) {
        logger.info("the server may speak the older transport", metadata: ["status": "\(refusal.status ?? 0)"])
        do throws(RemoteFailure) {
            _ = try await openLink(for: post)
        } catch {
            throw error.reason == .stopped ? error : refusal
        }
        wire.withLock { $0 = .sse }
        try await deliverOverEvents(post)
    }

    /// The open stream, or a new one, in which the client's handshake is made again if there was one.
    private func openLink(
        for post: RemotePost
    ) async throws(RemoteFailure) -> (EventsLink, WebAddress) {
        await turn.enter()
        defer { turn.leave() }
        if let open = link.withLock({ $0 }), open.ended.value == nil, case .success(let place)? = open.endpoint.value {
            return (open, place)
        }
        let new = EventsLink()
        links.continuation.yield(.events(new))
        guard let found = await new.endpoint.wait(atMost: limits.handshake) else {
            throw Task.isCancelled ? .stopped : .unusable("the stream named no endpoint in time")
        }
        let place = try found.get()
        link.withLock { $0 = new }
        if post.role != .initialize, post.role != .initialized, let renewal = conversation.withLock({ $0.renew() }) {
            logger.notice("the server's stream ended; a new session is begun")
            try await renew(renewal, over: new, at: place)
        }
        return (new, place)
    }

    private func renew(
        _ post: RemotePost, over link: EventsLink, at place: WebAddress
    ) async throws(RemoteFailure) {
        let generation = conversation.withLock { $0.generation }
        let response = try await send(posting(post, to: place, session: nil))
        _ = try await collect(response)
        if response.isSuccess { await post.settled.wait(atMost: limits.handshake) }
        guard conversation.withLock({ $0.generation }) != generation else {
            _ = conversation.withLock { $0.fail(post, .sessionEnded) }
            // The next call tries anew.
            self.link.withLock { $0 = nil }
            throw .sessionEnded
        }
        try await sayInitialized(to: place)
    }

    /// Reads the stream to its end, which is the end of every open call.
    func run(_ link: EventsLink) async {
        var decoder = EventStreamDecoder(limit: limits.message)
        do throws(RemoteFailure) {
            let response = try await send(
                HTTPRequest(.get, server.address, fields: fields(session: nil, accept: "text/event-stream")))
            guard response.isSuccess, response.mediaType == "text/event-stream" else {
                let body = try await collect(response)
                throw response.isSuccess
                    ? .unusable("it is no event stream") : .refused(response.status, answer: body)
            }
            _ = await read(response, &decoder) { output in await self.take(output, of: link) }
            throw .broken
        } catch {
            link.endpoint.set(.failure(error))
        }
        link.ended.set()
        guard self.link.withLock({ $0 === link }) else { return }
        let (messages, settled) = conversation.withLock { $0.failAll(.broken) }
        for message in messages { await write(message) }
        for post in settled { post.settled.set() }
        tellIdle()
    }

    /// Takes one event; answers whether the stream is of use.
    private func take(_ output: EventStreamDecoder.Output, of link: EventsLink) async -> Bool {
        guard case .event(let event) = output, event.type == "endpoint" else {
            await take(output, over: nil)
            return true
        }
        let text = String(decoding: event.data, as: UTF8.self)
        guard let place = server.address.resolving(text) else {
            link.endpoint.set(.failure(.unusable("its endpoint is no URL")))
            return false
        }
        // Whoever answers the stream must not send the client's token elsewhere.
        guard place.hasSameOrigin(as: server.address) else {
            link.endpoint.set(
                .failure(
                    RemoteFailure(
                        reason: .redirected,
                        message: "the stream's endpoint is at \(place.origin), which is another server",
                        hint: "use the address of that server, if you trust it")))
            return false
        }
        link.endpoint.set(.success(place))
        return true
    }
}
