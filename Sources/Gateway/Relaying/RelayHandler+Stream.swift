// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import Logging
import NIOCore

/// A session's own stream: the GET of Streamable HTTP.
extension RelayHandler {
    func openStream() {
        guard let context, let relay = request.relay, let session = request.session else { return }
        let stream = SessionStream(
            relay: relay, session: session, principal: request.principal, handler: self, eventLoop: eventLoop,
            limits: core.limits, meters: core.meters, now: .now())
        guard relay.openStream(stream, session: session, principal: request.principal) else {
            stream.drop()
            return refuse(.unknownSession)
        }
        phase = .streaming
        self.stream = stream
        writeStreamHead(context: context)
        write(EventFraming.opened, context: context)
        context.flush()
        arm(by: stream.due)
        if stream.begin() { streamEnded(stream) }
    }

    func write(_ message: MessageBytes, of stream: SessionStream) {
        guard stream === self.stream, let context else { return }
        let count = message.count
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { stream.wasTaken(count) }
        writeEvent(message, context: context, promise: promise)
        context.flush()
        stream.wrote(now: .now())
    }

    /// Writes a comment where the stream was silent; that the client takes it keeps its session from being idle.
    func keepAlive(_ stream: SessionStream, now: NIODeadline) {
        guard now >= stream.due, let context else { return }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess {
            stream.relay.touch(session: stream.session, principal: stream.principal)
        }
        write(EventFraming.keepAlive, context: context, promise: promise)
        context.flush()
        stream.wrote(now: now)
    }

    func streamFellBehind(_ stream: SessionStream) {
        guard stream === self.stream else { return }
        core.logger.info("stream closed because its client reads too slowly")
        closeNow()
    }

    func streamEnded(_ stream: SessionStream) {
        guard stream === self.stream, let context else { return }
        self.stream = nil
        stream.leave()
        endResponse(context: context)
    }
}
