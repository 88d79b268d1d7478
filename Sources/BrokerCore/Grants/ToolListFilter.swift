// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// Takes the tools out of a `tools/list` answer that its policy does not allow; every other byte stays.
///
/// It is not on the way of servers without a policy. An answer in which the list or a tool's name cannot be told for
/// certain is not passed on at all.
struct ToolListFilter: Sendable {
    let policy: ToolPolicy

    /// The answer without what is not allowed; nil where it is ambiguous.
    func applied(to message: ServerMessage) -> ServerMessage? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard message.envelope.kind == .response, let result = message.envelope.result else { return message }
        let list: Range<Int>
        switch JSONMembers.find("tools", in: bytes, object: result) {
        case .absent: return message
        case .ambiguous: return nil
        case .value(let range): list = range
        }
        guard let elements = try? MessageScanner.batchElements(of: bytes.extracting(list)) else { return nil }
        var rewritten = Array(copying: bytes.extracting(0..<list.lowerBound))
        rewritten.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            let tool = list.lowerBound + element.lowerBound..<list.lowerBound + element.upperBound
            guard isAllowed(tool, in: bytes) else { continue }
            if !isFirst { rewritten.append(UInt8(ascii: ",")) }
            isFirst = false
            rewritten += Array(copying: bytes.extracting(tool))
        }
        rewritten.append(UInt8(ascii: "]"))
        rewritten += Array(copying: bytes.extracting(list.upperBound..<bytes.count))
        guard let envelope = try? MessageScanner.scan(rewritten) else { return nil }
        return ServerMessage(bytes: ByteBuffer(bytes: rewritten), envelope: envelope)
    }

    private func isAllowed(_ tool: Range<Int>, in bytes: Span<UInt8>) -> Bool {
        guard case .value(let raw) = JSONMembers.find("name", in: bytes, object: tool),
            let name = JSONString.decode(bytes, raw)
        else { return false }
        return policy.allows(name)
    }
}
