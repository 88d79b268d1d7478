// SPDX-License-Identifier: Apache-2.0
package import HTTPTransport
import JSONRPC
package import Logging
import NIOCore
import Synchronization

/// Carries one client's conversation with a server over HTTP, from its first line to its last, in either era.
///
/// It decides nothing that ``RemoteConversation`` can decide. Each message of the client is a request of its own, so that
/// a slow call holds up nobody; they start in the order of the lines. Everything runs in the task of ``run(lines:until:)``.
package final class RemoteSession: Sendable {
    /// A stream that is to be opened beside the posts.
    enum Link: Sendable {
        /// The session's own stream, by GET to the endpoint.
        case own(generation: Int, opened: Arrival<Void>)
        /// The one stream of HTTP+SSE.
        case events(EventsLink)
    }

    let server: RemoteServer
    let transport: HTTPTransport
    let limits: RemoteLimits
    let logger: Logger
    let conversation = Mutex(RemoteConversation())
    /// The wire as it is known by now.
    let wire: Mutex<RemoteServer.Wire>
    /// The open stream of HTTP+SSE.
    let link = Mutex<EventsLink?>(nil)
    /// For whoever begins a new session or opens the one stream.
    let turn = Turnstile()
    let links = AsyncStream<Link>.makeStream()
    private let output: any RemoteOutput
    private let outputLost = Arrival<Void>()
    private let idle = Mutex<Arrival<Void>?>(nil)

    package init(
        _ server: RemoteServer, transport: HTTPTransport, output: any RemoteOutput, limits: RemoteLimits, logger: Logger
    ) {
        self.server = server
        self.transport = transport
        self.output = output
        self.limits = limits
        self.logger = logger
        let byPath: RemoteServer.Wire = server.address.pathEnds(with: "sse") ? .sse : .auto
        wire = Mutex(server.wire == .auto ? byPath : server.wire)
    }

    /// Relays until the client's lines end and its calls are answered, or it is stopped; answers the exit status.
    ///
    /// - Parameters:
    ///   - inputEnd: set when no more lines come, however many of them are still to be taken.
    ///   - stop: returns when the end must not wait for anything.
    package func run(
        lines: some AsyncSequence<RemoteLine, Never> & Sendable, inputEnd: Arrival<Void>,
        until stop: @escaping @Sendable () async -> Void
    ) async -> Int32 {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                await self.openLinks()
                return false
            }
            group.addTask {
                await self.send(lines)
                return true
            }
            group.addTask {
                guard await inputEnd.wait() != nil else { return false }
                await self.waitUntilQuiet()
                return true
            }
            group.addTask {
                await stop()
                return true
            }
            group.addTask {
                await self.outputLost.wait()
                return true
            }
            while let isOver = await group.next(), !isOver {}
            group.cancelAll()
            output.finish(within: limits.goodbye / 2)
        }
        await sayGoodbye()
        return switch conversation.withLock({ $0.outcome }) {
        case .untried, .succeeded: 0
        case .unauthorized: 3
        case .unreachable: 4
        case .failed: 1
        }
    }

    // MARK: From the client

    private func send(_ lines: some AsyncSequence<RemoteLine, Never> & Sendable) async {
        await withDiscardingTaskGroup { posts in
            for await line in lines {
                switch line {
                case .tooLong(let findings):
                    await write(RemoteConversation.tooLong(findings, limit: limits.message))
                case .line(let bytes):
                    switch conversation.withLock({ $0.take(bytes) }) {
                    case .ignore: break
                    case .reply(let answer): await write(answer)
                    case .post(let post):
                        posts.addTask { await self.deliver(post) }
                        await waitForStart(of: post)
                    case .modern(let call):
                        posts.addTask { await self.deliver(call) }
                        await call.started.wait(atMost: limits.order)
                    case .cancel(let calls):
                        for call in calls { call.cancelled.set() }
                        tellIdle()
                    }
                }
            }
            await waitUntilIdle()
            // What is left is notices in flight and streams that stay open after their answer.
            posts.cancelAll()
        }
    }

    private func waitForStart(of post: RemotePost) async {
        // Before it is known which session there is, nothing else can be said in it.
        if post.role == .initialize {
            await post.started.wait()
        } else {
            await post.started.wait(atMost: limits.order)
        }
    }

    /// Returns when for the time of grace nothing was said by either side.
    private func waitUntilQuiet() async {
        var seen: Int?
        while true {
            let activity = conversation.withLock { $0.activity }
            if activity == seen { return }
            seen = activity
            // Cancelled means that everything was answered in time.
            guard (try? await Task.sleep(for: limits.grace)) != nil else { return }
        }
    }

    private func waitUntilIdle() async {
        let arrival = Arrival<Void>()
        idle.withLock { $0 = arrival }
        tellIdle()
        await arrival.wait()
    }

    /// Called after every change that may have settled the last call.
    func tellIdle() {
        guard let arrival = idle.withLock({ $0 }), !conversation.withLock({ $0.hasOpenCalls }) else { return }
        arrival.set()
    }

    private func deliver(_ post: RemotePost) async {
        defer {
            post.started.set()
            tellIdle()
        }
        do throws(RemoteFailure) {
            if wire.withLock({ $0 }) == .sse {
                try await deliverOverEvents(post)
            } else {
                try await deliverOverPosts(post)
            }
        } catch {
            await report(error, of: post)
        }
    }

    /// Tells the callers of a post that it failed, or the log, where it has no callers.
    func report(_ failure: RemoteFailure, of post: RemotePost) async {
        let messages = conversation.withLock { $0.fail(post, failure) }
        post.settled.set()
        if post.calls.isEmpty, failure.reason != .stopped {
            logger.warning("message of the client lost", metadata: ["reason": "\(failure.message)"])
        }
        for message in messages { await write(message) }
    }

    // MARK: To the client

    /// Writes a message; where nobody reads any more, everything ends.
    func write(_ message: ByteBuffer) async {
        do { try await output.write(message) } catch { outputLost.set() }
    }

    /// Takes what the server said: one message, or an array of them (2025-03-26).
    func take(_ bytes: ByteBuffer, over post: RemotePost?) async {
        let span = bytes.readableBytesUInt8Span
        do throws(ScanError) {
            let envelope = try MessageScanner.scan(span)
            switch envelope.kind {
            case .batch:
                for range in try MessageScanner.batchElements(of: span) {
                    guard let element = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count)
                    else { continue }
                    let envelope = try MessageScanner.scan(element.readableBytesUInt8Span)
                    if envelope.kind != .batch { await take(element, envelope, over: post) }
                }
            default: await take(bytes, envelope, over: post)
            }
        } catch {
            logger.warning("message of the server that cannot be read", metadata: ["reason": "\(error)"])
        }
    }

    private func take(_ bytes: ByteBuffer, _ envelope: Envelope, over post: RemotePost?) async {
        guard envelope.kind != .invalid, envelope.kind != .notAnObject else {
            return logger.warning("message of the server that is none")
        }
        let settled: RemotePost?
        switch conversation.withLock({ $0.received(bytes, envelope, over: post) }) {
        case .drop: return logger.debug("answer of the server that nobody waits for")
        case .swallow(let post): settled = post
        case .pass(let line, let post):
            await write(line)
            settled = post
        }
        guard let settled else { return }
        settled.settled.set()
        settled.started.set()
        tellIdle()
    }

    // MARK: The end

    /// Ends the session at the server, which would otherwise keep it until it is idle for long.
    private func sayGoodbye() async {
        guard let session = conversation.withLock({ $0.session }) else { return }
        let request = HTTPRequest(.delete, server.address, fields: fields(session: session))
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Nobody is left to be told; the server may as well not offer it (405).
                if let response = try? await self.transport.send(request) {
                    _ = try? await response.body.collect(upTo: 1 << 20)
                }
            }
            group.addTask { try? await Task.sleep(for: self.limits.goodbye) }
            await group.next()
            group.cancelAll()
        }
    }
}
