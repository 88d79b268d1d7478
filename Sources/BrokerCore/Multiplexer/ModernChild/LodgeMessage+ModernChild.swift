// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// Messages to and from a modern server.
extension LodgeMessage {
    /// A request of Lodge's own.
    static func modernRequest(
        _ ticket: Ticket, _ method: String, _ params: [JSONValue.Member] = [], as declaration: ClientDeclaration
    ) -> MessageBytes {
        var bytes = Array(#"{"_meta":{"#.utf8) + declaration.members + [UInt8(ascii: "}")]
        for member in params {
            bytes.append(UInt8(ascii: ","))
            bytes += JSONValue.object([member]).serialized.dropFirst().dropLast()
        }
        bytes.append(UInt8(ascii: "}"))
        return MessageBytes(bytes: MessageBuilder.request(id: RawID(ticket), method: method, params: bytes))
    }

    /// A legacy client's request with the metadata that every modern request has; its progress token is the ticket.
    static func forwardedToModern(
        _ message: ClientMessage, as ticket: Ticket, _ metadata: ModernMetadata
    ) -> MessageBytes {
        let bytes = withoutLineBreaks(message.bytes, message.envelope)
        let id = RawID(ticket)
        var splice = Splice(message.envelope.value)
        var replacements = Replacements(id: id)
        splice.replace(message.envelope.id, with: .id)
        if let continuation = metadata.continuation {
            let params = EnvelopedRequest.parameters(
                of: message.envelope, in: bytes.readableBytesUInt8Span, declaration: metadata.declaration,
                logLevel: metadata.logLevel, token: id, toolName: message.toolName,
                answers: continuation.answers, state: continuation.state)
            splice.replace(message.envelope.params, with: .meta)
            replacements.meta = params
            return spliced(bytes, splice, replacements, asLine: true)
        }
        let change = EnvelopedRequest(
            message.envelope, in: bytes.readableBytesUInt8Span, declaration: metadata.declaration,
            logLevel: metadata.logLevel, token: id)
        if let change {
            splice.replace(change.place, with: .meta)
            replacements.meta = change.replacement
        }
        if let name = message.toolName {
            splice.replace(message.envelope.name, with: .name)
            replacements.name = name
        }
        return spliced(bytes, splice, replacements, asLine: true)
    }

    /// A modern server's answer as its legacy caller gets it.
    static func legacyAnswer(_ message: ServerMessage, to call: PendingCall) -> MessageBytes {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        if let range = message.envelope.errorCode, let code = RawID.integer(in: bytes, range).map({ Int($0) }) {
            let legacy = LegacyResult.errorCode(
                code, isRead: call.isRead, namesResource: call.isRead && namesResource(message))
            return legacy == code ? answer(message, id: call.id) : answer(message, id: call.id, errorCode: legacy)
        }
        guard let member = LegacyResult.typeMember(message.envelope, in: bytes) else {
            return answer(message, id: call.id)
        }
        var splice = Splice(message.envelope.value)
        splice.replace(message.envelope.id, with: .id)
        splice.replace(member, with: .resultHead)
        return spliced(
            withoutLineBreaks(message.bytes, message.envelope), splice, Replacements(id: call.id))
    }

    private static func namesResource(_ message: ServerMessage) -> Bool {
        let buffer = message.bytes
        guard let range = message.envelope.error,
            let error = try? JSONValue.parse(buffer.readableBytesUInt8Span.extracting(range))
        else { return false }
        return error["data"]?["uri"]?.string != nil
    }

    /// A notice without the tag of the stream that Lodge heard it on, which means nothing to any client.
    static func untagged(_ message: ServerMessage, method: String) -> MessageBytes {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let params = message.envelope.params.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
        let kept = (params?.members ?? []).compactMap { member -> JSONValue.Member? in
            guard member.name == "_meta" else { return member }
            let rest = (member.value.members ?? []).filter { $0.name != MetaKey.subscriptionID }
            return rest.isEmpty ? nil : .init("_meta", .object(rest))
        }
        return MessageBytes(
            bytes: MessageBuilder.notification(
                method: method, params: kept.isEmpty ? nil : JSONValue.object(kept).serialized))
    }
}

extension PendingCall {
    /// Whether a legacy client reads a resource with it.
    fileprivate var isRead: Bool {
        guard let message = driven?.message else { return false }
        let buffer = message.bytes
        return message.envelope.isMethod("resources/read", in: buffer.readableBytesUInt8Span)
    }
}
