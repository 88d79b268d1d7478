// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// What modern clients are told of a server, worked out once for each generation.
///
/// A class, since every answer has a look at it.
final class ServerIdentity: Sendable {
    /// The result of `server/discover`, raw.
    let discovery: [UInt8]
    let capabilities: JSONValue?
    /// Name and version alone: what goes with every result should not cost what icons and texts cost.
    let serverInfo: JSONValue?
    /// The same, as results carry it.
    let signature: ModernResult.Signature

    /// - Parameter discovery: a result of `server/discover`.
    init(discovery: JSONValue) {
        self.discovery = discovery.serialized
        capabilities = discovery["capabilities"]
        serverInfo = discovery["_meta"]?[MetaKey.serverInfo].flatMap { info in
            guard let name = info["name"], let version = info["version"] else { return nil }
            return ["name": name, "version": version]
        }
        signature = ModernResult.Signature(serverInfo: serverInfo)
    }
}
