// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// Results that ask a modern client for input (2026-07-28, multi round-trip requests).
package enum InputRequired {
    /// What a server wants to know, under the key by which the client answers.
    package struct Request: Sendable, Hashable {
        package let key: String
        package let method: String
        package let params: JSONValue?

        package init(key: String, method: String, params: JSONValue?) {
            self.key = key
            self.method = method
            self.params = params
        }
    }

    /// The result; what it asks is in the words of the modern era.
    package static func result(_ requests: [Request], state: String?, serverInfo: JSONValue?) -> JSONValue {
        var members: [JSONValue.Member] = [.init("resultType", "input_required")]
        if !requests.isEmpty { members.append(.init("inputRequests", .object(requests.map(member)))) }
        if let state { members.append(.init("requestState", .string(state))) }
        if let serverInfo { members.append(.init("_meta", .object([.init(MetaKey.serverInfo, serverInfo)]))) }
        return .object(members)
    }

    private static func member(_ request: Request) -> JSONValue.Member {
        var members: [JSONValue.Member] = [.init("method", .string(request.method))]
        // The modern era has no id for a URL that the user visits, no tasks of a client, and no progress of one.
        let gone: Set<String> = ["elicitationId", "task", "_meta"]
        if case .object(let params)? = request.params {
            members.append(.init("params", .object(params.filter { !gone.contains($0.name) })))
        }
        return .init(request.key, .object(members))
    }

    /// What the error -32042 of 2025-11-25 asks: URLs that the user has to visit before the request can succeed.
    package static func requests(ofURLError data: JSONValue?) -> [Request] {
        var taken: Set<String> = []
        return (data?["elicitations"]?.elements ?? []).enumerated().compactMap { index, elicitation in
            guard elicitation["url"]?.string != nil else { return nil }
            var params = (elicitation.members ?? []).filter { $0.name != "mode" }
            params.insert(.init("mode", "url"), at: 0)
            let own = elicitation["elicitationId"]?.string
            let key = own.flatMap { taken.contains($0) ? nil : $0 } ?? "url-\(index + 1)"
            taken.insert(key)
            return Request(key: key, method: "elicitation/create", params: .object(params))
        }
    }
}
