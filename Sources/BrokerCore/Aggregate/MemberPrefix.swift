// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// How names of members' tools, prompts and resources are told apart: `<server>__<name>` and `lodge+<server>:<uri>`.
///
/// Server names hold no `_` and no `:`, so the first of these ends the name. A prefix needs no escaping in JSON.
enum MemberPrefix {
    static func ofNames(_ server: String) -> String { server + "__" }
    static func ofResources(_ server: String) -> String { "lodge+\(server):" }

    /// Where the name of the server stands in a written string that begins with `<server>__`.
    ///
    /// Nil where there is no such prefix as the string is written; an escape within it is not looked through.
    static func server(in bytes: Span<UInt8>, contents: Range<Int>) -> Range<Int>? {
        var place = contents.lowerBound
        let end = contents.upperBound - 1
        while place < end {
            let byte = bytes[place]
            if byte == UInt8(ascii: "_") {
                guard bytes[place + 1] == byte, place > contents.lowerBound else { return nil }
                return contents.lowerBound..<place
            }
            if byte == UInt8(ascii: "\\") { return nil }
            place += 1
        }
        return nil
    }

    /// Takes `<server>__<name>` apart.
    static func split(name: String) -> (server: String, name: String)? {
        guard let mark = name.firstRange(of: "__"), mark.lowerBound > name.startIndex else { return nil }
        return (String(name[..<mark.lowerBound]), String(name[mark.upperBound...]))
    }

    /// Takes `lodge+<server>:<uri>` apart.
    static func split(uri: String) -> (server: String, uri: String)? {
        guard uri.hasPrefix("lodge+"), let mark = uri.firstIndex(of: ":") else { return nil }
        return (String(uri[uri.index(uri.startIndex, offsetBy: 6)..<mark]), String(uri[uri.index(after: mark)...]))
    }
}

extension ClientMessage {
    /// The same message for another session, or for none.
    func addressed(to session: String?) -> ClientMessage { with(bytes, envelope, session: session) }

    private func with(_ bytes: ByteBuffer, _ envelope: Envelope, session: String?) -> ClientMessage {
        ClientMessage(
            bytes: bytes, envelope: envelope, session: session, principal: principal, servers: servers,
            parameterFields: parameterFields)
    }

    /// The same message in memory of its own, for one that is kept longer than its request.
    var kept: ClientMessage {
        let whole = bytes
        var copy = ByteBufferAllocator().buffer(capacity: whole.readableBytes)
        copy.writeBytes(whole.readableBytesSpan)
        return with(copy, envelope, session: session)
    }

    /// The same message, for another session, with the first bytes of a string taken away.
    ///
    /// Blanks stand in their place, in front of the string, so that every other range of the envelope stays true.
    ///
    /// - Parameters:
    ///   - count: how many bytes of the string's contents go; they are written without escapes.
    ///   - raw: where the string stands, quotes included.
    func dropping(_ count: Int, of raw: Range<Int>, session: String?) -> ClientMessage {
        let whole = bytes
        let span = whole.readableBytesSpan
        var shortened = ByteBufferAllocator().buffer(capacity: span.byteCount)
        shortened.writeBytes(span.extracting(0..<raw.lowerBound))
        shortened.writeRepeatingByte(UInt8(ascii: " "), count: count)
        shortened.writeInteger(UInt8(ascii: "\""))
        shortened.writeBytes(span.extracting(raw.lowerBound + 1 + count..<span.byteCount))
        var envelope = envelope
        let rest = raw.lowerBound + count..<raw.upperBound
        if envelope.name == raw { envelope.name = rest }
        if envelope.uri == raw { envelope.uri = rest }
        return with(shortened, envelope, session: session)
    }

    /// The same message with another string in the place of one; nil where the result is no message.
    func replacing(_ raw: Range<Int>, with text: String) -> ClientMessage? {
        let buffer = bytes
        let span = buffer.readableBytesUInt8Span
        var rewritten = Array(copying: span.extracting(0..<raw.lowerBound))
        JSONString.encode(text, into: &rewritten)
        rewritten += Array(copying: span.extracting(raw.upperBound..<span.count))
        guard let envelope = try? MessageScanner.scan(rewritten) else { return nil }
        return with(ByteBuffer(bytes: rewritten), envelope, session: nil)
    }
}
