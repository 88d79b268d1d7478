// SPDX-License-Identifier: Apache-2.0
package import JSONRPC

/// What a modern server wants to know before it goes on (2026-07-28, multi round-trip requests).
package struct InputQuestions: Sendable {
    package enum Problem: Error, Hashable, Sendable {
        case nothingAsked
        case unreadable(key: String)
        case unknownMethod(String)

        /// What the server answered with, as the end of a sentence.
        package var text: String {
            switch self {
            case .nothingAsked: "a request for input that asks for nothing"
            case .unreadable(let key): "a request for input '\(key)' that names no method, or stands twice"
            case .unknownMethod(let method): "a request for input by '\(method)', which no client has"
            }
        }
    }

    package struct Question: Sendable {
        package let request: InputRequired.Request
        package let needed: ClientCapabilities
    }

    package let questions: [Question]
    /// The raw value of `requestState`, to be given back as it is; nil where there is none.
    package let state: [UInt8]?

    /// Reads the result of a scanned response whose `resultType` is `input_required`.
    package init(_ envelope: Envelope, in bytes: Span<UInt8>) throws(Problem) {
        state = envelope.requestState.map { Array(copying: bytes.extracting($0)) }
        var found: [Question] = []
        let result = envelope.result.flatMap { try? JSONValue.parse(bytes.extracting($0)) }
        for member in result?["inputRequests"]?.members ?? [] {
            guard let method = member.value["method"]?.string,
                !found.contains(where: { $0.request.key == member.name })
            else { throw .unreadable(key: member.name) }
            let params = member.value["params"]
            guard let needed = ClientCapabilities(neededFor: method, params: params) else {
                throw .unknownMethod(method)
            }
            found.append(
                .init(request: .init(key: member.name, method: method, params: params), needed: needed))
        }
        guard !found.isEmpty || state != nil else { throw .nothingAsked }
        questions = found
    }
}

extension InputRequired.Request {
    /// The parameters of the same as a request to a legacy client.
    ///
    /// - Parameter elicitationID: names a visit of a URL, for which that era needs an id.
    package func legacyParams(elicitationID: String) -> JSONValue? {
        guard method == "elicitation/create", params?["mode"]?.string == "url", let members = params?.members else {
            return params
        }
        return .object(
            members.filter { $0.name != "elicitationId" } + [.init("elicitationId", .string(elicitationID))])
    }
}
