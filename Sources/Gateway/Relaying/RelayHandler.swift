// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import NIOHTTP1

/// Relays MCP messages of one connection without leaving its event loop, and passes all other requests on.
///
/// 1. It stands between the HTTP parser and everything of Hummingbird, so it sees every request first, and every
///    response last.
/// 2. One request at a time: until the response to a request has ended, parts of later ones are held, whoever answers.
/// 3. Every exchange and stream that it makes is ended by it: by its response, or because the client left.
///
/// It is not thread-safe; sinks bring messages of other threads to its event loop.
final class RelayHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    enum Phase {
        /// Between two requests. Can transition to `collecting`, `routed`, `draining`, `closing`.
        case idle
        /// A request of ours is arriving. Can transition to `answering`, `streaming`, `draining`, `closing`.
        case collecting
        /// It has arrived whole, and its response has not ended. Can transition to `idle`, `closing`.
        case answering
        /// An event stream is open that an outlet writes to. Can transition to `idle`, `closing`.
        case streaming
        /// Hummingbird has the request. Can transition to `idle`, `draining`, `closing`.
        case routed(requestEnded: Bool, responseEnded: Bool)
        /// The response has ended before the request; the rest is thrown away. Can transition to `idle`, `closing`.
        case draining
        /// The last response is on its way out, and everything that comes is thrown away. Final.
        case closing
    }

    let core: GatewayCore
    var phase = Phase.idle
    var request = RequestInHand()
    var exchange: Exchange?
    var outlet: EventOutlet?
    var context: ChannelHandlerContext?
    /// The place of the HTTP encoder, in front of which whole responses are written as bytes.
    var encoderContext: ChannelHandlerContext?
    /// What the last head of this connection was found to be.
    var lastHead: AdmittedHead?

    private var held = HeldParts()
    private var isProcessing = false
    private var readWithheld = false
    /// Whether something was passed on since the last `channelReadComplete` was.
    private var hasPassedOn = false

    /// When the first bytes of a request came whose head is not complete.
    var arrivalStart: NIODeadline?
    /// When the phase began that has a limit of its own: `idle`, `draining` or `closing`.
    var phaseStart: NIODeadline?
    var hasServed = false
    var drained = 0
    var shutdownDeadline: NIODeadline?
    var timer: Scheduled<Void>?
    var armed: NIODeadline?
    var backpressure = WriteProgress()

    private let routing: FirstRouting

    init(core: GatewayCore, routing: FirstRouting = FirstRouting()) {
        self.core = core
        self.routing = routing
    }

    /// Has Hummingbird look at what it is passed from now on.
    func rouse() { routing.happen() }

    // MARK: Inbound

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        guard !isProcessing, held.isEmpty, takes(part) else { return held.append(part) }
        isProcessing = true
        process(part, context: context)
        isProcessing = false
        if !held.isEmpty { replay() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        switch phase {
        case .idle where arrivalStart != nil, .collecting, .routed(requestEnded: false, _):
            arm(by: (arrivalStart ?? request.start) + core.limits.requestArrival)
        default: break
        }
        passOnReadComplete(context: context)
    }

    func read(context: ChannelHandlerContext) {
        guard held.bytes <= core.limits.heldRequests else {
            readWithheld = true
            return
        }
        context.read()
    }

    /// Bytes have come that the parser has not seen yet.
    func bytesArrived() {
        if case .idle = phase, arrivalStart == nil { arrivalStart = .now() }
    }

    private func takes(_ part: HTTPServerRequestPart) -> Bool {
        switch phase {
        case .idle, .collecting, .draining, .closing, .routed(requestEnded: false, _): true
        case .answering, .streaming, .routed(requestEnded: true, _): false
        }
    }

    /// Goes on with what was held, until the next request is being answered.
    func replay() {
        guard !isProcessing, let context else { return }
        isProcessing = true
        while let part = held.first, takes(part) {
            _ = held.popFirst()
            process(part, context: context)
        }
        isProcessing = false
        passOnReadComplete(context: context)
        if readWithheld, held.bytes <= core.limits.heldRequests {
            readWithheld = false
            context.read()
        }
    }

    func forgetHeldParts() { held.removeAll() }

    private func process(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
        switch (phase, part) {
        case (.idle, .head(let head)): receive(head, context: context)
        case (.collecting, .body(let bytes)): collect(bytes)
        case (.collecting, .end): requestEnded()
        case (.draining, .body(let bytes)): drain(bytes.readableBytes)
        case (.draining, .end): drainEnded()
        case (.routed(requestEnded: false, _), .body): passOn(part, context: context)
        case (.routed(requestEnded: false, let responseEnded), .end):
            passOn(part, context: context)
            phase = .routed(requestEnded: true, responseEnded: responseEnded)
            if responseEnded { becomeIdle() }
        default: break
        }
    }

    func passOn(_ part: HTTPServerRequestPart, context: ChannelHandlerContext) {
        hasPassedOn = true
        rouse()
        context.fireChannelRead(Self.wrapInboundOut(part))
    }

    private func passOnReadComplete(context: ChannelHandlerContext) {
        guard hasPassedOn else { return }
        hasPassedOn = false
        context.fireChannelReadComplete()
    }

    private func collect(_ bytes: ByteBuffer) {
        guard request.body?.writeImmutableBuffer(bytes) == nil else { return checkBodySize() }
        request.body = bytes
        checkBodySize()
    }

    private func checkBodySize() {
        if let body = request.body, body.readableBytes > core.limits.requestBody {
            refuse(.tooLarge(limit: core.limits.requestBody))
        }
    }

    private func requestEnded() {
        phase = .answering
        switch request.purpose {
        case .message: dispatch()
        case .stream(let last): openStream(after: last)
        case .transportStream(let messages): openTransport(messages: messages)
        case .transportMessage(let name): dispatchToTransport(named: name)
        case .none: preconditionFailure("only requests with a purpose are collected")
        }
    }

    private func drain(_ count: Int) {
        drained += count
        if drained > core.limits.drainedBytes { closeNow() }
    }

    private func drainEnded() {
        if request.keepsAlive {
            becomeIdle()
        } else {
            closeNow()
        }
    }

    // MARK: Outbound

    /// Sees the responses of Hummingbird go by; those of this handler do not come this way.
    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .routed(let requestEnded, responseEnded: false) = phase else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head) where !request.keepsAlive && head.status.code >= 200:
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .head: context.write(data, promise: promise)
        case .body(let body):
            backpressure.wrote(body.readableBytes)
            context.write(data, promise: promise)
        case .end where request.keepsAlive:
            context.write(data, promise: promise)
            phase = .routed(requestEnded: requestEnded, responseEnded: true)
            guard requestEnded else { return }
            becomeIdle()
            replay()
        case .end:
            let written = promise ?? context.eventLoop.makePromise()
            context.write(data, promise: written)
            close(after: written.futureResult)
        }
    }
}
