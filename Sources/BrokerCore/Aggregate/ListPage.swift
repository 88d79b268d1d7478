// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import NIOCore

/// One page of a member's list, its entries as they were written.
struct ListPage: Sendable {
    var entries: [[UInt8]] = []
    /// The cursor of the next page as it was written; nil on the last page.
    var next: [UInt8]?

    /// Reads an answer; nil where it is an error, or no list for certain.
    init?(_ answer: MessageBytes, of kind: ListKind) {
        let buffer = answer.joined()
        let bytes = buffer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(bytes), envelope.kind == .response, let result = envelope.result
        else { return nil }
        switch JSONMembers.find(kind.resultMember, in: bytes, object: result) {
        case .absent: break
        case .ambiguous: return nil
        case .value(let list):
            guard let elements = try? MessageScanner.batchElements(of: bytes.extracting(list)) else { return nil }
            entries = elements.map { element in
                Array(
                    copying: bytes.extracting(
                        list.lowerBound + element.lowerBound..<list.lowerBound + element.upperBound))
            }
        }
        guard case .value(let cursor) = JSONMembers.find("nextCursor", in: bytes, object: result),
            bytes[cursor.lowerBound] == UInt8(ascii: "\"")
        else { return }
        next = Array(copying: bytes.extracting(cursor))
    }

    /// Whether an answer says that its server does not have this list at all.
    static func isUnknownMethod(_ answer: MessageBytes) -> Bool {
        let buffer = answer.joined()
        let bytes = buffer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(bytes) else { return false }
        return envelope.text(envelope.errorCode, in: bytes) == "-32601"
    }
}

/// What one member contributes to a joined list.
struct ListPart: Sendable {
    let server: String
    /// Nil where the member dropped out.
    var entries: [[UInt8]]?

    /// The value by which clients name an entry; nil where that cannot be told for certain.
    static func name(of entry: [UInt8], in kind: ListKind) -> String? {
        guard case .value(let raw) = JSONMembers.find(kind.entryMember, in: entry.span, object: 0..<entry.count) else {
            return nil
        }
        return JSONString.decode(entry.span, raw)
    }

    /// An entry with a prefix in front of what clients name it by; every other byte stays.
    static func prefixed(_ entry: [UInt8], in kind: ListKind, _ prefix: String) -> [UInt8]? {
        guard case .value(let raw) = JSONMembers.find(kind.entryMember, in: entry.span, object: 0..<entry.count),
            JSONString.contents(of: raw, in: entry.span) != nil
        else { return nil }
        return entry[...raw.lowerBound] + Array(prefix.utf8) + entry[(raw.lowerBound + 1)...]
    }
}

/// Joins what members listed into one answer, in the order of the parts.
enum ListMerge {
    /// Tools and prompts: every name gets its server's prefix; an entry without a name is left out.
    static func named(_ parts: [ListPart], _ kind: ListKind) -> [[UInt8]] {
        parts.flatMap { part in
            (part.entries ?? []).compactMap { ListPart.prefixed($0, in: kind, MemberPrefix.ofNames(part.server)) }
        }
    }

    /// Resources and templates: only what another member owns gets a prefix.
    static func owned(_ parts: [ListPart], _ kind: ListKind, _ owners: inout ResourceOwners) -> [[UInt8]] {
        parts.flatMap { part -> [[UInt8]] in
            guard let entries = part.entries else { return [] }
            let named = entries.compactMap { entry in ListPart.name(of: entry, in: kind).map { (entry, $0) } }
            let flags = owners.list(named.map(\.1), of: part.server)
            return zip(named, flags).compactMap { named, isPrefixed in
                guard isPrefixed else { return named.0 }
                return ListPart.prefixed(named.0, in: kind, MemberPrefix.ofResources(part.server))
            }
        }
    }

    /// - Parameter members: raw members of the result that follow the list, without a comma around them.
    static func answer(
        id: RawID, _ entries: [[UInt8]], _ kind: ListKind, adding members: [UInt8] = []
    ) -> MessageBytes {
        var result = Array("{\"\(kind.resultMember)\":[".utf8)
        result.reserveCapacity(result.count + entries.reduce(2) { $0 + $1.count + 1 })
        for (index, entry) in entries.enumerated() {
            if index > 0 { result.append(UInt8(ascii: ",")) }
            result += entry
        }
        result.append(UInt8(ascii: "]"))
        if !members.isEmpty { result += [UInt8(ascii: ",")] + members }
        result.append(UInt8(ascii: "}"))
        return MessageBytes(bytes: MessageBuilder.result(id: id, result))
    }
}
