// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import NIOCore
import NIOHTTP1

/// The response that nearly every call has: 200, JSON, a session if there are any, and a connection that goes on.
///
/// It is written as bytes in front of NIO's encoder, in one buffer and one write. The encoder keeps no state between
/// two responses, so it need not know. Whatever is out of the ordinary takes the other way.
extension RelayHandler {
    private static let start: [UInt8] = Array(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ".utf8)
    private static let middle: [UInt8] = Array("\r\nMcp-Session-Id: ".utf8)
    private static let date: [UInt8] = Array("\r\nDate: ".utf8)
    private static let end: [UInt8] = Array("\r\n\r\n".utf8)

    private static let accepted: [UInt8] = Array("HTTP/1.1 202 Accepted\r\nContent-Length: 0".utf8)

    /// Answers that a message was taken, where the answer needs no session.
    func accept() {
        guard answersPlainly, let context, let encoderContext else { return respond(.accepted, nil) }
        var bytes = context.channel.allocator.buffer(capacity: 96)
        bytes.writeBytes(Self.accepted)
        bytes.writeBytes(Self.date)
        bytes.writeString(core.date.text)
        bytes.writeBytes(Self.end)
        encoderContext.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        becomeIdle()
        replay()
    }

    /// Whether the request in hand can be answered with those bytes.
    var answersPlainly: Bool {
        guard case .answering = phase else { return false }
        return request.keepsAlive && request.version == .http1_1 && request.sharedOrigin == nil && !request.isHead
            && encoderContext != nil
    }

    func respondPlainly(_ body: MessageBytes, session: String?) {
        guard let context, let encoderContext else { return }
        let count = body.count
        backpressure.wrote(count)
        let isSmall = body.tail.isEmpty && count <= MessageBytes.copyLimit
        var bytes = context.channel.allocator.buffer(capacity: 160 + (session?.utf8.count ?? 0) + (isSmall ? count : 0))
        bytes.writeBytes(Self.start)
        bytes.writeString(String(count))
        if let session {
            bytes.writeBytes(Self.middle)
            bytes.writeString(session)
        }
        bytes.writeBytes(Self.date)
        bytes.writeString(core.date.text)
        bytes.writeBytes(Self.end)
        if isSmall {
            bytes.writeImmutableBuffer(body.head)
            encoderContext.writeAndFlush(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
        } else {
            encoderContext.write(NIOAny(IOData.byteBuffer(bytes)), promise: nil)
            encoderContext.write(NIOAny(IOData.byteBuffer(body.head)), promise: nil)
            for piece in body.tail { encoderContext.write(NIOAny(IOData.byteBuffer(piece)), promise: nil) }
            encoderContext.flush()
        }
        becomeIdle()
        replay()
    }
}
