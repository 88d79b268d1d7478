// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// What a legacy client said of itself in its `initialize`, in the words in which every modern request has to say it
/// (2026-07-28, base protocol, `_meta`).
///
/// It is made once for a session, because its bytes go with each of that session's requests. It is not the whole
/// metadata of a request: a level for log messages and a token for progress belong to one request.
package final class ClientDeclaration: Sendable {
    /// More than this of a client's own words is not repeated with each request, in bytes.
    package static let limit = 16 * 1024

    /// Members of `_meta`, raw and without a comma at either end.
    package let members: [UInt8]
    package let capabilities: ClientCapabilities

    /// - Parameter params: the parameters of the client's `initialize`.
    package convenience init(initialize params: JSONValue) {
        let said = Self.translated(params["capabilities"] ?? [:])
        let capabilities = ClientCapabilities(said)
        self.init(
            clientInfo: params["clientInfo"].flatMap(Self.bounded), capabilities: capabilities,
            object: said.serialized.count <= Self.limit ? said : capabilities.object)
    }

    /// A client that can be asked nothing, named for who it is.
    package convenience init(name: String, version: String) {
        self.init(
            clientInfo: ["name": .string(name), "version": .string(version)], capabilities: [], object: [:])
    }

    private init(clientInfo: JSONValue?, capabilities: ClientCapabilities, object: JSONValue) {
        self.capabilities = capabilities
        var members: [JSONValue.Member] = [.init(MetaKey.protocolVersion, .string(ModernRevision.newest))]
        if let clientInfo { members.append(.init(MetaKey.clientInfo, clientInfo)) }
        members.append(.init(MetaKey.clientCapabilities, object))
        self.members = Array(JSONValue.object(members).serialized.dropFirst().dropLast())
    }

    /// Capabilities of a client without the ones that the modern era has no word for.
    private static func translated(_ capabilities: JSONValue) -> JSONValue {
        let kept = (capabilities.members ?? []).filter { $0.name != "tasks" }
        return .object(
            kept.map { member in
                guard member.name == "roots", case .object(let facets) = member.value else { return member }
                return .init("roots", .object(facets.filter { $0.name != "listChanged" }))
            })
    }

    private static func bounded(_ info: JSONValue) -> JSONValue? {
        guard case .object = info else { return nil }
        guard info.serialized.count > limit else { return info }
        let short = ["name", "version"].compactMap { name in
            info[name]?.string.map { JSONValue.Member(name, .string(String($0.prefix(256)))) }
        }
        return .object(short)
    }
}
