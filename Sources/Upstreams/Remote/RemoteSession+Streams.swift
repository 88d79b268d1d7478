// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import Logging
import NIOCore
import ServerSentEvents
import Synchronization

/// The streams that are open beside the posts.
extension RemoteSession {
    /// Keeps open what is asked for, until it is cancelled.
    func openLinks() async {
        await withDiscardingTaskGroup { group in
            for await link in links.stream {
                group.addTask {
                    switch link {
                    case .own(let generation, let opened): await self.keepOwnStream(generation, opened)
                    case .events(let link): await self.run(link)
                    }
                }
            }
        }
    }

    /// Asks for the session's own stream, and waits for a moment until it is there, so that little is missed.
    func openOwnStream() async {
        let opened = Arrival<Void>()
        links.continuation.yield(.own(generation: conversation.withLock { $0.generation }, opened: opened))
        await opened.wait(atMost: limits.reconnect)
    }

    /// Reads what the server says of its own accord, and opens the stream again when it breaks.
    private func keepOwnStream(_ generation: Int, _ opened: Arrival<Void>) async {
        defer { opened.set() }
        var decoder = EventStreamDecoder(limit: limits.message)
        var failures = 0
        while !Task.isCancelled, conversation.withLock({ $0.generation }) == generation {
            let session = conversation.withLock { $0.session }
            var request = HTTPRequest(
                .get, server.address, fields: fields(session: session, accept: "text/event-stream"))
            if let id = decoder.lastEventID { request.fields.append(HTTPField("Last-Event-ID", id)) }
            if let response = try? await transport.send(request) {
                if response.status == 200, response.mediaType == "text/event-stream" {
                    opened.set()
                    failures = 0
                    _ = await read(response, &decoder) { output in
                        await self.take(output, over: nil)
                        return true
                    }
                } else {
                    _ = try? await response.body.collect(upTo: 1 << 20)
                    if response.status < 500 {
                        // 405: the server has nothing to say of its own accord. 404: the next call finds out.
                        let level: Logger.Level = response.status == 405 ? .debug : .info
                        return logger.log(
                            level: level, "no stream of the server's own", metadata: ["status": "\(response.status)"])
                    }
                }
            }
            failures += 1
            opened.set()
            decoder.restart()
            guard (try? await pause(failures, decoder.retry)) != nil else { return }
        }
    }
}
