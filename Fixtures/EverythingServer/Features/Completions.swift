// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Suggestions for the arguments of a prompt and of the resource template.
enum Completions {
    static func complete(_ params: JSONValue) -> Result<JSONValue, RPCError> {
        let reference = params["ref"] ?? [:]
        guard let argument = params["argument"]?["name"]?.text, let typed = params["argument"]?["value"]?.text else {
            return .failure(.invalidParams("'argument' needs a name and a value"))
        }
        let words: [String]
        switch (reference["type"]?.text, reference["name"]?.text ?? reference["uri"]?.text, argument) {
        case ("ref/prompt", "test_prompt_with_arguments", "arg1"): words = ["paris", "park", "party", "prague"]
        case ("ref/prompt", "test_prompt_with_arguments", "arg2"):
            // The second argument depends on the first, which a client sends along since 2025-06-18.
            let first = params["context"]?["arguments"]?["arg1"]?.text
            words = first.map { ["\($0)-east", "\($0)-west"] } ?? ["east", "west"]
        case ("ref/prompt", let name?, _) where name.hasPrefix("test_"): words = []
        case ("ref/resource", "test://template/{id}/data", "id"): words = ["1", "12", "123"]
        default: return .failure(.invalidParams("nothing to complete by that reference"))
        }
        let fitting = words.filter { $0.hasPrefix(typed) }
        return .success([
            "completion": ["values": .strings(fitting), "total": .integer(fitting.count), "hasMore": false]
        ])
    }
}
