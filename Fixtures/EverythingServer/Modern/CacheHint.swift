// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What results say of how long and for whom they may be kept (MCP 2026-07-28, caching); the same on every page.
struct CacheHint {
    enum Scope: String {
        case `public`, `private`
    }

    let milliseconds: Int
    let scope: Scope

    func added(to outcome: Result<JSONValue, RPCError>) -> Result<JSONValue, RPCError> {
        outcome.map { result in
            var result = result
            result["ttlMs"] = .integer(milliseconds)
            result["cacheScope"] = .string(scope.rawValue)
            return result
        }
    }
}
