// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// Takes the tools out of a `tools/list` answer that its policy does not allow, and gives others their new names; every
/// other byte stays.
///
/// It is not on the way of servers without a policy. An answer in which the list or a tool's name cannot be told for
/// certain is not passed on at all.
struct ToolListFilter: Sendable {
    struct Filtered {
        var message: ServerMessage
        /// Tools that were left out only because their name was given to another.
        var namesTaken: [String] = []
    }

    let policy: ToolPolicy

    /// The answer as clients get it; nil where it is ambiguous.
    func applied(to message: ServerMessage) -> Filtered? {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard message.envelope.kind == .response, let result = message.envelope.result else {
            return Filtered(message: message)
        }
        let list: Range<Int>
        switch JSONMembers.find("tools", in: bytes, object: result) {
        case .absent: return Filtered(message: message)
        case .ambiguous: return nil
        case .value(let range): list = range
        }
        guard let elements = try? MessageScanner.batchElements(of: bytes.extracting(list)) else { return nil }
        var namesTaken: [String] = []
        var rewritten = Array(copying: bytes.extracting(0..<list.lowerBound))
        rewritten.append(UInt8(ascii: "["))
        var isFirst = true
        for element in elements {
            let tool = list.lowerBound + element.lowerBound..<list.lowerBound + element.upperBound
            guard case .value(let raw) = JSONMembers.find("name", in: bytes, object: tool),
                let own = JSONString.decode(bytes, raw)
            else { continue }
            guard let name = policy.name(forClients: own) else {
                if policy.isNameTaken(own) { namesTaken.append(own) }
                continue
            }
            if !isFirst { rewritten.append(UInt8(ascii: ",")) }
            isFirst = false
            if name == own {
                rewritten += Array(copying: bytes.extracting(tool))
            } else {
                rewritten += Array(copying: bytes.extracting(tool.lowerBound..<raw.lowerBound))
                JSONString.encode(name, into: &rewritten)
                rewritten += Array(copying: bytes.extracting(raw.upperBound..<tool.upperBound))
            }
        }
        rewritten.append(UInt8(ascii: "]"))
        rewritten += Array(copying: bytes.extracting(list.upperBound..<bytes.count))
        guard let envelope = try? MessageScanner.scan(rewritten) else { return nil }
        return Filtered(
            message: ServerMessage(bytes: ByteBuffer(bytes: rewritten), envelope: envelope), namesTaken: namesTaken)
    }
}
