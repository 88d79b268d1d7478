// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Messages that are passed on from one era to the other, with a few values put in or replaced.
extension LodgeMessage {
    /// A modern client's request as a legacy server gets it: without the metadata of its era.
    static func forwardedToLegacy(_ message: ClientMessage, as ticket: Ticket) -> MessageBytes {
        let bytes = withoutLineBreaks(message.bytes, message.envelope)
        var splice = Splice(message.envelope.value)
        var replacements = Replacements(id: RawID(ticket))
        splice.replace(message.envelope.id, with: .id)
        if let meta = message.envelope.meta {
            splice.replace(meta, with: .meta)
            replacements.meta = LegacyRequest.metadata(
                of: bytes.readableBytesUInt8Span, at: meta, token: RawID(ticket))
        }
        if let name = message.toolName {
            splice.replace(message.envelope.name, with: .name)
            replacements.name = name
        }
        return spliced(bytes, splice, replacements, asLine: true)
    }

    /// A server's result as a modern client gets it.
    static func answer(_ message: ServerMessage, id: RawID, adding additions: ModernResult) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        var replacements = Replacements(id: id)
        splice.replace(message.envelope.id, with: .id)
        if !additions.head.isEmpty {
            splice.replace(additions.headPlace, with: .resultHead)
            replacements.head = additions.head
        }
        if let place = additions.metaPlace {
            splice.replace(place, with: .meta)
            replacements.meta = additions.meta
        }
        if let type = additions.foreignType {
            splice.replace(type, with: .name)
            replacements.name = Array(#""complete""#.utf8)
        }
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, replacements)
    }

    /// A server's error with another code.
    static func answer(_ message: ServerMessage, id: RawID, errorCode: Int) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        var replacements = Replacements(id: id)
        splice.replace(message.envelope.id, with: .id)
        splice.replace(message.envelope.errorCode, with: .errorCode)
        replacements.errorCode = Array(String(errorCode).utf8)
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, replacements)
    }

    /// The bytes for each slot of a splice.
    struct Replacements {
        var id: RawID
        var name: [UInt8] = []
        var meta: [UInt8] = []
        var head: [UInt8] = []
        var errorCode: [UInt8] = []
        var requestState: [UInt8] = []

        var count: Int {
            2 * id.count + name.count + meta.count + head.count + errorCode.count + requestState.count
        }

        fileprivate func write(_ slot: Splice.Slot, to buffer: inout ByteBuffer) {
            switch slot {
            case .id, .token: id.withSpan { _ = unsafe buffer.writeBytes($0.bytes) }
            case .name: buffer.writeBytes(name)
            case .meta: buffer.writeBytes(meta)
            case .resultHead: buffer.writeBytes(head)
            case .errorCode: buffer.writeBytes(errorCode)
            case .requestState: buffer.writeBytes(requestState)
            case .requestID, .subscriptionID, .uri, .protocolVersion: break
            }
        }
    }

    /// Small messages are copied into one buffer, large ones stay slices of the original.
    static func spliced(
        _ bytes: ByteBuffer, _ splice: Splice, _ replacements: Replacements, asLine: Bool = false
    ) -> MessageBytes {
        let count = splice.keptCount + replacements.count + 1
        guard count > MessageBytes.copyLimit else {
            var whole = ByteBufferAllocator().buffer(capacity: count)
            splice.forEachPiece { piece in
                switch piece {
                case .original(let range): whole.writeBytes(bytes.readableBytesSpan.extracting(range))
                case .replacement(let slot): replacements.write(slot, to: &whole)
                }
            }
            if asLine { whole.writeInteger(UInt8(ascii: "\n")) }
            return MessageBytes(whole, isLine: asLine)
        }
        var message: MessageBytes?
        splice.forEachPiece { piece in
            var next = ByteBuffer()
            switch piece {
            case .original(let range): next = bytes.slice(of: range) ?? next
            case .replacement(let slot): replacements.write(slot, to: &next)
            }
            if message == nil { message = MessageBytes(next) } else { message?.append(next) }
        }
        return message ?? MessageBytes(ByteBuffer())
    }
}
