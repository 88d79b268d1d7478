// SPDX-License-Identifier: Apache-2.0
package import JSONRPC
import MCPProtocol
package import NIOCore

/// The messages that Lodge writes itself, and the ones it passes on with a value replaced.
///
/// All are on one line, without raw line breaks, so that every transport can frame them.
package enum LodgeMessage {
    // MARK: Own messages

    package static func error(id: RawID?, code: Int, message: String, data: JSONValue? = nil) -> MessageBytes {
        MessageBytes(bytes: MessageBuilder.error(id: id, code: code, message: message, data: data?.serialized))
    }

    package static func emptyResult(id: RawID) -> MessageBytes {
        MessageBytes(bytes: MessageBuilder.result(id: id, Array("{}".utf8)))
    }

    /// A notification for a client that listens, tagged with its request.
    static func notification(
        _ method: String, _ params: [JSONValue.Member], subscription id: RawID
    ) -> MessageBytes {
        let tagged = JSONValue.object([.init("_meta", .object([subscription(id)]))] + params)
        return MessageBytes(bytes: MessageBuilder.notification(method: method, params: tagged.serialized))
    }

    /// The member of `_meta` that says which request to listen a message belongs to.
    static func subscription(_ id: RawID) -> JSONValue.Member {
        .init(MetaKey.subscriptionID, (try? JSONValue.parse(id.array)) ?? .null)
    }

    static func notification(_ method: String) -> MessageBytes {
        MessageBytes(bytes: MessageBuilder.notification(method: method))
    }

    private static func request(_ ticket: Ticket, _ method: String, _ params: JSONValue? = nil) -> MessageBytes {
        request(id: RawID(ticket), method, params)
    }

    static func request(id: RawID, _ method: String, _ params: JSONValue? = nil) -> MessageBytes {
        MessageBytes(bytes: MessageBuilder.request(id: id, method: method, params: params?.serialized))
    }

    /// - Parameter capabilities: a raw object, which is sent as it is.
    static func initialize(ticket: Ticket, capabilities: [UInt8], clientVersion: String) -> MessageBytes {
        let info: JSONValue = ["name": "lodge", "version": .string(clientVersion)]
        var params = Array(#"{"protocolVersion":"\#(ProtocolVersion.newest.rawValue)","capabilities":"#.utf8)
        params += capabilities
        params += Array(#","clientInfo":"#.utf8) + info.serialized + Array("}".utf8)
        return MessageBytes(bytes: MessageBuilder.request(id: RawID(ticket), method: "initialize", params: params))
    }

    static func listTools(ticket: Ticket) -> MessageBytes { request(ticket, "tools/list", [:]) }

    static func subscribe(ticket: Ticket, uri: String) -> MessageBytes {
        request(ticket, "resources/subscribe", ["uri": .string(uri)])
    }

    static func unsubscribe(ticket: Ticket, uri: String) -> MessageBytes {
        request(ticket, "resources/unsubscribe", ["uri": .string(uri)])
    }

    static func setLevel(ticket: Ticket, _ level: LogLevel) -> MessageBytes {
        request(ticket, "logging/setLevel", ["level": .string(level.rawValue)])
    }

    static func cancelled(_ ticket: Ticket, reason: String) -> MessageBytes {
        let params: JSONValue = ["requestId": .number(.init(ticket)), "reason": .string(reason)]
        return MessageBytes(
            bytes: MessageBuilder.notification(method: "notifications/cancelled", params: params.serialized))
    }

    // MARK: initialize

    /// The answer that a client gets from the server's one `initialize`; only the version differs.
    static func initializeAnswer(
        _ initialized: Multiplexer.Initialized, _ call: InitializeCall
    ) -> (MessageBytes, version: String) {
        let version = ProtocolVersion.negotiated(asked: call.askedVersion, server: initialized.version)
        let bytes = initialized.result.readableBytesUInt8Span
        var result = [UInt8]()
        result.append(contentsOf: Array(copying: bytes.extracting(0..<initialized.versionRange.lowerBound)))
        JSONString.encode(version, into: &result)
        result.append(contentsOf: Array(copying: bytes.extracting(initialized.versionRange.upperBound..<bytes.count)))
        return (MessageBytes(bytes: MessageBuilder.result(id: call.id, result)), version)
    }

    /// Whether a result of `initialize` declares tools.
    static func declaresTools(_ result: ByteBuffer) -> Bool { capability("tools", in: result) != nil }

    static func declaresLogging(_ result: ByteBuffer) -> Bool { capability("logging", in: result) != nil }

    /// The notices of changed lists that a server with these capabilities could send.
    static func listChanges(declaredIn result: ByteBuffer) -> [(method: String, notice: MessageBytes)] {
        ["tools", "prompts", "resources"].compactMap { kind in
            guard capability(kind, in: result)?["listChanged"]?.bool == true else { return nil }
            let method = "notifications/\(kind)/list_changed"
            return (method, notification(method))
        }
    }

    private static func capability(_ name: String, in result: ByteBuffer) -> JSONValue? {
        // A result that was scanned before is JSON; one too deep for values declares nothing we could use.
        (try? JSONValue.parse(result.readableBytesUInt8Span))?["capabilities"]?[name]
    }

    // MARK: Messages passed on

    /// A message as it came, line breaks between its tokens made spaces.
    static func oneLine(_ message: ClientMessage) -> MessageBytes {
        MessageBytes(withoutLineBreaks(message.bytes, message.envelope))
    }

    static func oneLine(_ message: ServerMessage) -> MessageBytes {
        MessageBytes(withoutLineBreaks(message.bytes, message.envelope))
    }

    static func replacing(_ range: Range<Int>, with id: RawID, in message: ClientMessage) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        splice.replace(range, with: .id)
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, id: id, token: nil)
    }

    static func replacing(_ range: Range<Int>, with id: RawID, in message: ServerMessage) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        splice.replace(range, with: .id)
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, id: id, token: nil)
    }

    /// A server's request under another id, which also takes the place of its progress token.
    static func renumbered(_ message: ServerMessage, as ticket: Ticket) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        splice.replace(message.envelope.id, with: .id)
        splice.replace(message.envelope.progressToken, with: .token)
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, id: RawID(ticket), token: nil)
    }

    /// A client's request as the server gets it: its id and its progress token are the ticket, its tool is named as
    /// the server names it.
    package static func forwarded(_ message: ClientMessage, as ticket: Ticket) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        splice.replace(message.envelope.id, with: .id)
        splice.replace(message.envelope.progressToken, with: .token)
        if message.toolName != nil { splice.replace(message.envelope.name, with: .name) }
        let bytes = withoutLineBreaks(message.bytes, message.envelope)
        return spliced(bytes, splice, id: RawID(ticket), token: nil, name: message.toolName, asLine: true)
    }

    /// A server's answer as its caller gets it.
    package static func answer(_ message: ServerMessage, id: RawID) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        splice.replace(message.envelope.id, with: .id)
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, id: id, token: nil)
    }

    /// A progress notification as its caller gets it.
    package static func progress(_ message: ServerMessage, token: RawID) -> MessageBytes {
        var splice = Splice(message.envelope.value)
        splice.replace(message.envelope.paramsProgressToken, with: .token)
        return spliced(withoutLineBreaks(message.bytes, message.envelope), splice, id: token, token: token)
    }

    static func withoutLineBreaks(_ bytes: ByteBuffer, _ envelope: Envelope) -> ByteBuffer {
        guard envelope.hasLineBreaks else { return bytes }
        var blanked = Array(copying: bytes.readableBytesUInt8Span)
        LineBreaks.blank(&blanked)
        return ByteBuffer(bytes: blanked)
    }

    /// Small messages are copied into one buffer, large ones stay slices of the original.
    private static func spliced(
        _ bytes: ByteBuffer, _ splice: Splice, id: RawID, token: RawID?, name: [UInt8]? = nil, asLine: Bool = false
    ) -> MessageBytes {
        let count = splice.keptCount + id.count + (token ?? id).count + (name?.count ?? 0) + 1
        if count <= MessageBytes.copyLimit {
            var whole = ByteBufferAllocator().buffer(capacity: count)
            splice.forEachPiece { piece in
                switch piece {
                case .original(let range):
                    whole.writeBytes(bytes.readableBytesSpan.extracting(range))
                case .replacement(.name): if let name { whole.writeBytes(name) }
                case .replacement(let slot): whole.write(slot == .token ? token ?? id : id)
                }
            }
            if asLine { whole.writeInteger(UInt8(ascii: "\n")) }
            return MessageBytes(whole, isLine: asLine)
        }
        var message: MessageBytes?
        splice.forEachPiece { piece in
            let next: ByteBuffer
            switch piece {
            case .original(let range): next = bytes.slice(of: range) ?? ByteBuffer()
            case .replacement(.name): next = ByteBuffer(bytes: name ?? [])
            case .replacement(let slot):
                var replacement = ByteBuffer()
                replacement.write(slot == .token ? token ?? id : id)
                next = replacement
            }
            if message == nil { message = MessageBytes(next) } else { message?.append(next) }
        }
        return message ?? MessageBytes(ByteBuffer())
    }
}

extension ByteBuffer {
    /// A slice by offsets from the first readable byte; shares the memory.
    package func slice(of range: Range<Int>) -> ByteBuffer? {
        getSlice(at: readerIndex + range.lowerBound, length: range.count)
    }

    fileprivate mutating func write(_ id: RawID) {
        id.withSpan { _ = unsafe writeBytes($0.bytes) }
    }
}
