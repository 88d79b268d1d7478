// SPDX-License-Identifier: Apache-2.0

/// A request that came in, as its parts.
package struct Request: Sendable {
    package var id: JSONValue
    package var method: String
    package var params: JSONValue

    package var progressToken: JSONValue? { params["_meta"]?["progressToken"] }
}

/// What one JSON-RPC 2.0 message is.
package enum Message: Sendable {
    case request(Request)
    case notification(method: String, params: JSONValue)
    case answer(id: JSONValue, Result<JSONValue, RPCError>)
    case batch([JSONValue])
    /// Not a message; the id to answer with, null when there is none.
    case invalid(id: JSONValue, RPCError)

    package init(_ value: JSONValue) {
        if let elements = value.elements {
            self = .batch(elements)
            return
        }
        let id = value["id"]
        if let method = value["method"]?.text {
            let params = value["params"] ?? [:]
            guard let id else {
                self = .notification(method: method, params: params)
                return
            }
            switch id {
            case .number, .string: self = .request(Request(id: id, method: method, params: params))
            default: self = .invalid(id: .null, .invalidRequest("an id is a string or a number"))
            }
        } else if let id, let result = value["result"] {
            self = .answer(id: id, .success(result))
        } else if let id, let error = value["error"] {
            self = .answer(id: id, .failure(RPCError(error)))
        } else {
            self = .invalid(id: id ?? .null, .invalidRequest("neither a request nor an answer"))
        }
    }

    /// The answer to a request.
    package static func answer(to id: JSONValue, _ outcome: Result<JSONValue, RPCError>) -> JSONValue {
        switch outcome {
        case .success(let result): ["jsonrpc": "2.0", "id": id, "result": result]
        case .failure(let error): ["jsonrpc": "2.0", "id": id, "error": error.value]
        }
    }

    package static func notification(_ method: String, _ params: JSONValue? = nil) -> JSONValue {
        var message: JSONValue = ["jsonrpc": "2.0", "method": .string(method)]
        message["params"] = params
        return message
    }

    package static func request(_ id: JSONValue, _ method: String, _ params: JSONValue? = nil) -> JSONValue {
        var message: JSONValue = ["jsonrpc": "2.0", "id": id, "method": .string(method)]
        message["params"] = params
        return message
    }
}

/// A JSON-RPC error object.
package struct RPCError: Error, Hashable, Sendable {
    package var code: Int
    package var message: String
    package var data: JSONValue?

    package init(_ code: Int, _ message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    /// Reads an error object that came in; what is missing or of the wrong type is filled in.
    package init(_ value: JSONValue) {
        self.init(value["code"]?.integer ?? -32_603, value["message"]?.text ?? "no message", data: value["data"])
    }

    package var value: JSONValue {
        var object: JSONValue = ["code": .integer(code), "message": .string(message)]
        object["data"] = data
        return object
    }

    package static func parseError(_ reason: String) -> RPCError { RPCError(-32_700, "parse error: \(reason)") }
    package static func invalidRequest(_ reason: String) -> RPCError { RPCError(-32_600, "invalid request: \(reason)") }
    package static func unknownMethod(_ name: String) -> RPCError { RPCError(-32_601, "unknown method '\(name)'") }
    package static func invalidParams(_ reason: String) -> RPCError { RPCError(-32_602, reason) }
}
