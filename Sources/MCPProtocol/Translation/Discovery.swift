// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// The result of `server/discover` for a server that answered `initialize` (2026-07-28, discovery).
package enum Discovery {
    /// - Parameters:
    ///   - initialization: the result of `initialize`.
    ///   - withheld: capabilities that are not declared on, since the broker does not carry what they stand for.
    package static func result(
        from initialization: JSONValue, withholding withheld: Set<String>, caching: ModernResult.Caching
    ) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("resultType", "complete"),
            .init("supportedVersions", .array(ModernRevision.supported.map { .string($0) })),
        ]
        let capabilities = initialization["capabilities"]?.members ?? []
        // Tasks of 2025-11-25 are a capability of that revision alone.
        members.append(
            .init(
                "capabilities",
                .object(capabilities.filter { !withheld.contains($0.name) && $0.name != "tasks" })))
        if let instructions = initialization["instructions"] { members.append(.init("instructions", instructions)) }
        members.append(.init("ttlMs", .number(.init(caching.milliseconds))))
        members.append(.init("cacheScope", .string(caching.scope.rawValue)))
        if let info = initialization["serverInfo"] {
            members.append(.init("_meta", .object([.init(MetaKey.serverInfo, info)])))
        }
        return .object(members)
    }
}
