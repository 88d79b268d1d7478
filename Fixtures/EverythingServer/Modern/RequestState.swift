// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The answers of earlier rounds of one request, as a string that only this server can have made.
///
/// It is bound to the method, the name and the arguments of the request, and a process of the same program can read
/// it, for a retry may reach another one. It does not expire: a fixture has nothing to protect but the rule.
enum RequestState {
    private static let key = "everything-request-state"

    static func seal(_ answers: JSONValue, for request: Request) -> String {
        let payload = (["for": .string(identity(of: request)), "answers": answers] as JSONValue).json
        return "\(SHA256.authenticationCode(of: payload, key: key)).\(payload)"
    }

    /// Throws -32602 for a state that was changed, or made for another request.
    static func open(_ state: JSONValue, for request: Request) throws(RPCError) -> JSONValue {
        guard let parts = state.text?.split(separator: ".", maxSplits: 1), parts.count == 2,
            SHA256.authenticationCode(of: String(parts[1]), key: key) == parts[0],
            let payload = try? JSONValue(parsing: String(parts[1]))
        else { throw .invalidParams("'requestState' was not made by this server") }
        guard payload["for"]?.text == identity(of: request) else {
            throw .invalidParams("'requestState' was made for another request")
        }
        return payload["answers"] ?? [:]
    }

    private static func identity(of request: Request) -> String {
        let arguments = request.params["arguments"] ?? [:]
        let name = request.params["name"]?.text ?? ""
        return "\(request.method) \(name) \(SHA256.hexadecimal(arguments.bytes))"
    }
}
