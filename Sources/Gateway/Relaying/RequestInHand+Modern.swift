// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol

extension RequestInHand {
    /// The metadata of a modern request that the core may have; throws what is wrong with it, as its headers and its
    /// metadata say (2026-07-28, Streamable HTTP, server validation).
    ///
    /// A revision that is not spoken is told before any rule of it is applied, but for the header that names it. The
    /// copies of arguments are left to the core, which knows the tool.
    func metadata(
        of envelope: Envelope, in bytes: Span<UInt8>
    ) throws(GatewayRefusal) -> RequestMetadata {
        if copies?.repeats(.version) == true { throw .repeatedCopy(.version) }
        guard let raw = envelope.metaProtocolVersion, let version = JSONString.contents(of: raw, in: bytes) else {
            throw .metadata(.noVersion)
        }
        guard let named = namedVersion?.rawValue ?? copies?.version else {
            throw .missingCopy(.version, of: "protocol version")
        }
        guard JSONString.equals(bytes, contents: version, named) else {
            throw .differentCopy(.version, of: "protocol version")
        }
        let metadata: RequestMetadata
        do throws(RequestMetadata.Problem) {
            metadata = try RequestMetadata(envelope, in: bytes)
        } catch {
            throw .metadata(error)
        }
        if let refusal = refusal(ofCopiesOf: envelope, in: bytes) { throw refusal }
        return metadata
    }

    private func refusal(ofCopiesOf envelope: Envelope, in bytes: Span<UInt8>) -> GatewayRefusal? {
        guard let copies, let method = copies.method, let contents = envelope.method else {
            return .missingCopy(.method, of: "method")
        }
        if copies.repeats(.method) { return .repeatedCopy(.method) }
        guard JSONString.equals(bytes, contents: contents, method) else {
            return .differentCopy(.method, of: "method")
        }
        if copies.repeats(.name) { return .repeatedCopy(.name) }
        guard let member = NamedMethod.member(of: method) else { return nil }
        let raw =
            switch member {
            case "name": envelope.name
            case "uri": envelope.uri
            default: envelope.taskID
            }
        let named = raw.flatMap { JSONString.contents(of: $0, in: bytes) }
        switch (copies.name, named) {
        // Without a name in either, the request itself is wrong, which is not a matter of its headers.
        case (.absent, nil): return nil
        case (.absent, .some): return .missingCopy(.name, of: "params.\(member)")
        case (.malformed, _): return .malformedName
        case (.text(let text), .some(let named)) where JSONString.equals(bytes, contents: named, text): return nil
        case (.text, _): return .differentCopy(.name, of: "params.\(member)")
        }
    }
}
