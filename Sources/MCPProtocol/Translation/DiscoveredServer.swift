// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// What a modern server says of itself (2026-07-28, discovery), and the same for a client of either era.
///
/// Members that a server should have written and did not are not held against it.
package struct DiscoveredServer: Sendable {
    /// Why a server cannot be spoken to.
    package enum Problem: Error, Hashable, Sendable {
        case noObject
        case otherVersions([String])

        package var text: String {
            switch self {
            case .noObject: "the answer to server/discover has no object as its result"
            case .otherVersions(let versions):
                "the server speaks \(versions.isEmpty ? "no revision" : versions.joined(separator: ", ")), "
                    + "and not \(ModernRevision.newest)"
            }
        }
    }

    package let result: JSONValue

    /// - Parameter result: the result of `server/discover`.
    package init(_ result: JSONValue) throws(Problem) {
        guard case .object = result else { throw .noObject }
        self.result = result
        guard let versions = result["supportedVersions"]?.elements?.compactMap(\.string) else { return }
        guard versions.contains(where: ModernRevision.isSupported) else { throw .otherVersions(versions) }
    }

    private func capabilities(without names: Set<String>) -> JSONValue {
        .object((result["capabilities"]?.members ?? []).filter { !names.contains($0.name) })
    }

    private var serverInfo: JSONValue? {
        guard let info = result["_meta"]?[MetaKey.serverInfo], info["name"]?.string != nil else { return nil }
        return info
    }

    /// The result of `server/discover` for a modern client.
    ///
    /// - Parameter withheld: capabilities that are not declared on, since the broker does not carry what they stand for.
    package func discovery(withholding withheld: Set<String>) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("resultType", "complete"),
            .init("supportedVersions", .array(ModernRevision.supported.map { .string($0) })),
            .init("capabilities", capabilities(without: withheld)),
        ]
        let own: Set<String> = ["resultType", "supportedVersions", "capabilities", "ttlMs", "cacheScope"]
        members += (result.members ?? []).filter { !own.contains($0.name) }
        let time = result["ttlMs"]?.integer ?? -1
        let scope = result["cacheScope"]?.string.flatMap(ModernResult.Caching.Scope.init(rawValue:))
        members.append(.init("ttlMs", .number(.init(max(0, time)))))
        members.append(.init("cacheScope", .string((scope ?? .isPrivate).rawValue)))
        return .object(members)
    }

    /// The result of `initialize` for a legacy client, which is offered the newest revision of its era.
    ///
    /// - Parameter name: stands for a server that does not say who it is.
    package func initialization(name: String, withholding withheld: Set<String>) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("protocolVersion", .string(ProtocolVersion.newest.rawValue)),
            // The legacy era has no word for extensions, and another protocol for tasks.
            .init("capabilities", capabilities(without: withheld.union(["extensions", "tasks"]))),
        ]
        var info = serverInfo?.members ?? [.init("name", .string(name))]
        if !info.contains(where: { $0.name == "version" }) { info.append(.init("version", "unknown")) }
        members.append(.init("serverInfo", .object(info)))
        if let instructions = result["instructions"]?.string {
            members.append(.init("instructions", .string(instructions)))
        }
        return .object(members)
    }

    /// The lists of which the server tells that they changed.
    package var changingLists: Set<ListenFilter.List> {
        Set(ListenFilter.List.allCases.filter { result["capabilities"]?[$0.rawValue]?["listChanged"]?.bool == true })
    }

    package var tellsOfResources: Bool { result["capabilities"]?["resources"]?["subscribe"]?.bool == true }
}
