// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// Cuts the text of a tool's result that is too long, and says so in the result.
///
/// The limit counts the text of all items of type `text` together, as its reader sees it: unescaped, in UTF-8. What is
/// beyond it is cut at the end of a character, items of which nothing is left are taken out, and one item with a notice
/// follows the last. Pictures, sound, links and embedded resources stay. Structured content cannot be cut and stay what
/// its schema says, so one longer than the limit (as written) is left out, and the result becomes one with `isError`:
/// a client need not look for structured content in that (MCP 2025-11-25, server/tools, error handling). Every other
/// byte stays. An answer that is not longer than the limit as a whole is not looked into.
struct ResultLimit: Sendable {
    let bytes: Int
    let server: String

    /// The answer as its caller gets it; nil where it is too long and it cannot be told for certain what it says.
    func applied(to message: ServerMessage) -> ServerMessage? {
        guard message.bytes.readableBytes > bytes, message.envelope.kind == .response,
            let result = message.envelope.result
        else { return message }
        let buffer = message.bytes
        let text = buffer.readableBytesUInt8Span
        guard let content = content(in: text, result: result) else { return nil }
        switch JSONMembers.find("structuredContent", in: text, object: result) {
        case .ambiguous: return nil
        case .value(let range) where range.count > bytes:
            return withoutStructure(message, text, structure: range, content: content)
        case .absent, .value: break
        }
        guard content.size > content.kept, let place = content.place else { return message }
        var rewritten = Array(copying: text.extracting(0..<place.lowerBound))
        append(content, [notice("cut to \(content.kept) of \(content.size) bytes")], from: text, to: &rewritten)
        rewritten += Array(copying: text.extracting(place.upperBound..<text.count))
        return scanned(rewritten)
    }

    // MARK: Content

    /// What is left of one item: its bytes, up to the place where its text is cut.
    private struct Item {
        var range: Range<Int>
        /// The bytes that are taken out of it; empty where it stays whole.
        var removed: Range<Int>
    }

    private struct Content {
        /// Where the list stands in the message; nil where there is none.
        var place: Range<Int>?
        var items: [Item] = []
        /// The bytes of all texts, and of what is kept of them.
        var size = 0
        var kept = 0
    }

    /// Reads the list of contents; nil where it can be read in two ways.
    private func content(in text: Span<UInt8>, result: Range<Int>) -> Content? {
        var content = Content()
        switch JSONMembers.find("content", in: text, object: result) {
        case .absent: return content
        case .ambiguous: return nil
        case .value(let range): content.place = range
        }
        guard let place = content.place, let elements = try? MessageScanner.batchElements(of: text.extracting(place))
        else {
            content.place = nil
            return content
        }
        for element in elements {
            let range = place.lowerBound + element.lowerBound..<place.lowerBound + element.upperBound
            guard take(range, of: text, into: &content) else { return nil }
        }
        return content
    }

    /// Takes one item; false where it can be read in two ways.
    private func take(_ item: Range<Int>, of text: Span<UInt8>, into content: inout Content) -> Bool {
        let whole = Item(range: item, removed: item.upperBound..<item.upperBound)
        let type = JSONMembers.find("type", in: text, object: item)
        let written = JSONMembers.find("text", in: text, object: item)
        guard type != .ambiguous, written != .ambiguous else { return false }
        guard case .value(let typeRange) = type, let typeText = JSONString.contents(of: typeRange, in: text),
            JSONString.equals(text, contents: typeText, "text" as StaticString),
            case .value(let raw) = written, let contents = JSONString.contents(of: raw, in: text)
        else {
            content.items.append(whole)
            return true
        }
        // Once a text was cut, what follows it is left out, however short.
        let left = content.size == content.kept ? bytes - content.kept : 0
        guard let cut = JSONString.cut(text, contents: contents, limit: left) else { return false }
        content.size += cut.size
        content.kept += cut.kept
        guard cut.kept < cut.size else {
            // An empty text takes nothing, and stays where it is.
            content.items.append(whole)
            return true
        }
        if cut.kept > 0 { content.items.append(Item(range: item, removed: cut.end..<contents.upperBound)) }
        return true
    }

    private func append(_ content: Content, _ notices: [[UInt8]], from text: Span<UInt8>, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for item in content.items {
            bytes += Array(copying: text.extracting(item.range.lowerBound..<item.removed.lowerBound))
            bytes += Array(copying: text.extracting(item.removed.upperBound..<item.range.upperBound))
            bytes.append(UInt8(ascii: ","))
        }
        for (index, notice) in notices.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += notice
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private func notice(_ what: String) -> [UInt8] {
        JSONValue.object([
            .init("type", "text"), .init("text", .string("[lodge: \(what); server '\(server)']")),
        ]).serialized
    }

    // MARK: Structured content

    private func withoutStructure(
        _ message: ServerMessage, _ text: Span<UInt8>, structure: Range<Int>, content: Content
    ) -> ServerMessage? {
        guard let result = message.envelope.result else { return nil }
        var notices = [notice("structured content of \(structure.count) bytes left out, the limit is \(bytes)")]
        if content.size > content.kept {
            notices.insert(notice("cut to \(content.kept) of \(content.size) bytes"), at: 0)
        }
        var rewritten = Array(copying: text.extracting(0..<result.lowerBound))
        rewritten += Array(#"{"content":"#.utf8)
        append(content, notices, from: text, to: &rewritten)
        rewritten += Array(#","isError":true"#.utf8)
        if let type = message.envelope.resultType {
            rewritten += Array(#","resultType":"#.utf8)
            rewritten += Array(copying: text.extracting(type))
        }
        if case .value(let meta) = JSONMembers.find("_meta", in: text, object: result) {
            rewritten += Array(#","_meta":"#.utf8)
            rewritten += Array(copying: text.extracting(meta))
        }
        rewritten.append(UInt8(ascii: "}"))
        rewritten += Array(copying: text.extracting(result.upperBound..<text.count))
        return scanned(rewritten)
    }

    private func scanned(_ bytes: [UInt8]) -> ServerMessage? {
        guard let envelope = try? MessageScanner.scan(bytes) else { return nil }
        return ServerMessage(bytes: ByteBuffer(bytes: bytes), envelope: envelope)
    }
}
