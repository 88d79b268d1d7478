// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// A legacy client's request as a modern server gets it: the changes to its bytes (2026-07-28, base protocol, `_meta`).
///
/// Everything that the client wrote stays as it was, but for its progress token and for members that only the modern
/// era reserves, which are Lodge's to write.
package struct EnvelopedRequest: Sendable {
    /// Put in place of these bytes of the message, which may be none.
    package let place: Range<Int>
    package let replacement: [UInt8]

    /// Plans the change; nil where `params` is no object.
    package init?(
        _ envelope: Envelope, in bytes: Span<UInt8>, declaration: ClientDeclaration, logLevel: LogLevel?, token: RawID
    ) {
        var members = declaration.members
        if let logLevel { members += Array(",\"\(MetaKey.logLevel)\":\"\(logLevel.rawValue)\"".utf8) }
        guard let params = envelope.params else {
            // Before the brace that closes the message, which has other members in front.
            place = envelope.value.upperBound - 1..<envelope.value.upperBound - 1
            replacement = Array(#","params":{"_meta":{"#.utf8) + members + Array("}}".utf8)
            return
        }
        guard bytes[params.lowerBound] == UInt8(ascii: "{") else { return nil }
        if let meta = envelope.meta {
            place = meta
            replacement = Self.meta(in: bytes, at: meta, opening: members, token: token)
            return
        }
        place = params.lowerBound + 1..<params.lowerBound + 1
        var isEmpty = true
        JSONMembers.forEach(in: bytes, object: params) { _, _, _ in isEmpty = false }
        replacement = Array(#""_meta":{"#.utf8) + members + Array((isEmpty ? "}" : "},").utf8)
    }

    private static let reserved: [StaticString] = [
        "io.modelcontextprotocol/protocolVersion", "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/clientCapabilities", "io.modelcontextprotocol/logLevel",
        "io.modelcontextprotocol/subscriptionId",
    ]

    private static func meta(
        in bytes: Span<UInt8>, at meta: Range<Int>, opening members: [UInt8], token: RawID
    ) -> [UInt8] {
        var result = [UInt8(ascii: "{")] + members
        JSONMembers.forEach(in: bytes, object: meta) { member, name, value in
            if reserved.contains(where: { JSONString.equals(bytes, contents: name, $0) }) { return }
            result.append(UInt8(ascii: ","))
            guard JSONString.equals(bytes, contents: name, "progressToken") else {
                return result.append(contentsOf: Array(copying: bytes.extracting(member)))
            }
            result.append(contentsOf: Array(copying: bytes.extracting(member.lowerBound..<value.lowerBound)))
            result.append(contentsOf: token.array)
        }
        result.append(UInt8(ascii: "}"))
        return result
    }

    /// The parameters of a request that is sent again with what its client was asked for.
    ///
    /// - Parameters:
    ///   - answers: raw results, by the keys of their questions.
    ///   - state: the raw value of the state that goes with them; nil where the server gave none.
    package static func parameters(
        of envelope: Envelope, in bytes: Span<UInt8>, declaration: ClientDeclaration, logLevel: LogLevel?,
        token: RawID, toolName: [UInt8]?, answers: [(key: String, result: [UInt8])], state: [UInt8]?
    ) -> [UInt8] {
        var members = declaration.members
        if let logLevel { members += Array(",\"\(MetaKey.logLevel)\":\"\(logLevel.rawValue)\"".utf8) }
        var result = Array(#"{"_meta":"#.utf8)
        if let meta = envelope.meta {
            result += Self.meta(in: bytes, at: meta, opening: members, token: token)
        } else {
            result += [UInt8(ascii: "{")] + members + [UInt8(ascii: "}")]
        }
        if let params = envelope.params {
            JSONMembers.forEach(in: bytes, object: params) { member, name, value in
                let own: [StaticString] = ["_meta", "inputResponses", "requestState"]
                if own.contains(where: { JSONString.equals(bytes, contents: name, $0) }) { return }
                result.append(UInt8(ascii: ","))
                guard let toolName, JSONString.equals(bytes, contents: name, "name") else {
                    return result.append(contentsOf: Array(copying: bytes.extracting(member)))
                }
                result += Array(#""name":"#.utf8) + toolName
            }
        }
        if !answers.isEmpty {
            result += Array(#","inputResponses":{"#.utf8)
            for (index, answer) in answers.enumerated() {
                if index > 0 { result.append(UInt8(ascii: ",")) }
                JSONString.encode(answer.key, into: &result)
                result.append(UInt8(ascii: ":"))
                result += answer.result
            }
            result.append(UInt8(ascii: "}"))
        }
        if let state { result += Array(#","requestState":"#.utf8) + state }
        result.append(UInt8(ascii: "}"))
        return result
    }
}
