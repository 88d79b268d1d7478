// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import MCPProtocol
import NIOCore
import NIOHTTP1

/// What is written to the client: whole responses, and event streams.
extension RelayHandler {
    // MARK: Whole responses

    func refuse(_ refusal: GatewayRefusal, id: RawID? = nil) {
        if refusal.closesConnection { request.keepsAlive = false }
        respond(
            refusal.status, MessageBytes(bytes: refusal.body(id: id)), session: request.session,
            fields: refusal.headers.map { ($0.name, $0.value) })
    }

    /// Writes a whole response and ends the request with it; a body is JSON.
    func respond(
        _ status: HTTPResponseStatus, _ body: MessageBytes?, session: String? = nil,
        fields more: [(String, String)] = []
    ) {
        guard let context else { return }
        if more.isEmpty, status == .ok, let body, answersPlainly {
            return respondPlainly(body, session: session)
        }
        var fields: [(String, String)] = []
        fields.reserveCapacity(8)
        if body != nil { fields.append(("Content-Type", "application/json")) }
        fields.append(("Content-Length", String(body?.count ?? 0)))
        if let session { fields.append(("Mcp-Session-Id", session)) }
        if !more.isEmpty { fields += more }
        writeHead(status, fields, context: context)
        if let body, !request.isHead {
            write(body, context: context)
        }
        endResponse(context: context)
    }

    func writeContinue() {
        guard let context else { return }
        let head = HTTPResponseHead(version: request.version, status: .continue)
        context.writeAndFlush(Self.wrapOutboundOut(.head(head)), promise: nil)
    }

    /// Writes the answer to the exchange in hand, and ends the request with it.
    func respond(with answer: Answer, of exchange: Exchange) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        switch answer {
        case .message(let bytes): respond(.ok, bytes, session: request.session)
        case .failed(let bytes, let code): respond(HTTPResponseStatus(statusCode: ErrorCode.status(of: code)), bytes)
        case .opened(let bytes, let session): respond(.ok, bytes, session: session)
        case .unknownSession(let bytes): respond(.notFound, bytes)
        case .unavailable(let bytes, let retryAfter):
            respond(.serviceUnavailable, bytes, fields: [("Retry-After", String(retryAfter))])
        }
    }

    func respond(withBatch answers: [MessageBytes], of exchange: Exchange) {
        guard exchange === self.exchange else { return }
        self.exchange = nil
        var body = MessageBytes(ByteBuffer(string: "["))
        for (index, answer) in answers.enumerated() {
            if index > 0 { body.append(ByteBuffer(string: ",")) }
            body.append(answer.head)
            for piece in answer.tail { body.append(piece) }
        }
        body.append(ByteBuffer(string: "]"))
        let isSmall = body.count <= MessageBytes.copyLimit
        respond(.ok, isSmall ? MessageBytes(body.joined()) : body, session: request.session)
    }

    // MARK: Event streams

    func writeStreamHead(context: ChannelHandlerContext) {
        // A client of HTTP/1.0 knows no chunks: the end of its stream is the end of the connection.
        if request.version == .http1_0 { request.keepsAlive = false }
        var fields = [
            ("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache, no-transform"),
            ("X-Accel-Buffering", "no"),
        ]
        if let session = request.session { fields.append(("Mcp-Session-Id", session)) }
        writeHead(.ok, fields, context: context)
    }

    // MARK: Parts

    private func writeHead(
        _ status: HTTPResponseStatus, _ fields: [(String, String)], context: ChannelHandlerContext
    ) {
        var fields = fields
        if !request.keepsAlive {
            fields.append(("Connection", "close"))
        } else if request.version == .http1_0 {
            fields.append(("Connection", "keep-alive"))
        }
        fields.append(("Date", core.date.text))
        if let origin = request.sharedOrigin {
            fields += CrossOrigin.fields(sharing: origin, exposing: core.exposedHeaders)
        }
        let head = HTTPResponseHead(version: request.version, status: status, headers: HTTPHeaders(fields))
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
    }

    func write(_ bytes: MessageBytes, context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        guard let last = bytes.tail.last else { return write(bytes.head, context: context, promise: promise) }
        write(bytes.head, context: context)
        for piece in bytes.tail.dropLast() { write(piece, context: context) }
        write(last, context: context, promise: promise)
    }

    func write(_ bytes: ByteBuffer, context: ChannelHandlerContext, promise: EventLoopPromise<Void>? = nil) {
        backpressure.wrote(bytes.readableBytes)
        context.write(Self.wrapOutboundOut(.body(.byteBuffer(bytes))), promise: promise)
    }

    /// Ends the response, and the request with it where that has arrived whole.
    func endResponse(context: ChannelHandlerContext) {
        let isWhole = if case .collecting = phase { false } else { true }
        guard isWhole, !request.keepsAlive else {
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            if isWhole {
                becomeIdle()
                replay()
            } else {
                becomeDraining()
            }
            return
        }
        let written = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: written)
        close(after: written.futureResult)
    }
}
