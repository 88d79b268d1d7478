// SPDX-License-Identifier: Apache-2.0
import BrokerCore
package import JSONRPC
import MCPProtocol
package import NIOHTTP1

/// A request that the gateway itself refuses: one HTTP status, one JSON-RPC code, one sentence.
///
/// It is not an error of a server and not a refusal of the core, which bring bytes of their own. All of them are in
/// this file, so that statuses and codes stay a table.
package struct GatewayRefusal: Error, Sendable, Equatable {
    package let status: HTTPResponseStatus
    /// The code of the JSON-RPC error in the body.
    package let code: Int
    package let message: String
    /// The data of the JSON-RPC error.
    package private(set) var data: JSONValue?
    /// Header fields that belong to the status.
    package private(set) var headers: [Field] = []
    /// Whether the connection is closed with it, because the rest of the request is not worth reading.
    package private(set) var closesConnection = false

    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String
    }

    init(_ status: HTTPResponseStatus, code: Int = GatewayRefusal.invalidRequest, _ message: String) {
        self.status = status
        self.code = code
        self.message = message
    }

    func with(_ name: String, _ value: String) -> Self {
        var copy = self
        copy.headers.append(Field(name: name, value: value))
        return copy
    }

    func with(data: JSONValue?) -> Self {
        var copy = self
        copy.data = data
        return copy
    }

    func closing() -> Self {
        var copy = self
        copy.closesConnection = true
        return copy
    }

    /// The JSON-RPC error, on one line; a request's own id where it is known.
    package func body(id: RawID? = nil) -> [UInt8] {
        MessageBuilder.error(id: id, code: code, message: message, data: data?.serialized)
    }

    static let parseError = -32700
    static let invalidRequest = -32600
    static let unknownSessionCode = -32001
}

// MARK: Where a request comes from, and what it may reach

extension GatewayRefusal {
    static let missingHost = Self(.badRequest, "the request has no Host header; send one").closing()

    static func repeatedHeader(_ header: RequestFields.Single) -> Self {
        Self(.badRequest, "the request has the header \(header.rawValue) more than once; send it once").closing()
    }

    static let hostNotAllowed = Self(
        .forbidden, "the Host of the request is not allowed; use a loopback name, or start lodge with --allow-host")

    static let originNotAllowed = Self(
        .forbidden, "the Origin of the request is not allowed; start lodge with --allow-origin to allow it")

    static let missingToken = Self(.unauthorized, "a bearer token is needed; send 'Authorization: Bearer <token>'")
        .with("WWW-Authenticate", #"Bearer realm="lodge""#)

    static let invalidToken = Self(
        .unauthorized, "the bearer token is not known or has expired; use the one that lodge gave when it started"
    ).with("WWW-Authenticate", #"Bearer realm="lodge", error="invalid_token""#)

    /// - Parameter paths: what the client's grant reaches; nil for a client without one, who is told nothing.
    static func unknownPath(paths: [String]?) -> Self {
        guard let paths else { return Self(.notFound, "there is nothing at this path") }
        return Self(.notFound, "there is nothing at this path; this broker has \(paths.joined(separator: ", "))")
    }

    static let noAuthorizationServer = Self(
        .notFound, "this broker has no authorization server; use a token that its owner gave you")

    static func wrongMethod(allowed: String) -> Self {
        Self(.methodNotAllowed, "the method is not one of this path; use \(allowed)").with("Allow", allowed)
    }
}

// MARK: How a request is written

extension GatewayRefusal {
    static let malformed = Self(.badRequest, "the request is not HTTP/1.1").closing()
    static let headTooLarge = Self(
        .requestHeaderFieldsTooLarge, "the header fields of the request are too long; send fewer or shorter ones"
    ).closing()
    static let tooSlow = Self(.requestTimeout, "the request took too long to arrive; send it at once").closing()
    static let unknownExpectation = Self(
        .expectationFailed, "the expectation of the request is unknown; expect 100-continue or nothing")
    static let notJSONContent = Self(
        .unsupportedMediaType, "the Content-Type of the request must be application/json")
    static let encodedBody = Self(
        .unsupportedMediaType, "the body of the request must not be encoded; leave Content-Encoding out")
    static let postNotAcceptable = Self(
        .notAcceptable, "the Accept of the request must admit both application/json and text/event-stream")
    static let getNotAcceptable = Self(
        .notAcceptable, "the Accept of the request must admit text/event-stream")

    static func tooLarge(limit: Int) -> Self {
        Self(.payloadTooLarge, "the body of the request is longer than \(limit) bytes; send less, or raise the limit")
            .closing()
    }

    static let malformedSession = Self(
        .badRequest, "the Mcp-Session-Id must be 1 to 256 visible ASCII characters; send it as initialize gave it")
    static let missingSession = Self(
        .badRequest, "the request has no Mcp-Session-Id; initialize first and send the id that it gives")
    static let unknownSession = Self(
        .notFound, code: unknownSessionCode, "the session is unknown or has ended; initialize again")

    static let unknownEvent = Self(
        .badRequest, "the Last-Event-ID names no stream of this session that is still kept; open a stream without it")
    static let droppedEvents = Self(
        .badRequest,
        "some events after this Last-Event-ID are no longer kept; open a stream without it and ask again")
    static let missingTransportSession = Self(
        .badRequest, "the request has no session_id; send it to the path that the event 'endpoint' names")
    static let unknownTransportSession = Self(
        .notFound, code: unknownSessionCode, "the session_id is unknown or its stream has ended; open a new stream")
    static let tooManyTransportSessions = Self(
        .serviceUnavailable, "as many streams are open as there may be; end one or wait"
    ).with("Retry-After", "60")
    /// Told on the stream of the 2024-11-05 transport.
    static let notInitialized = Self(.badRequest, "the stream has no session yet; send initialize first")

    static let unknownVersion = Self(
        .badRequest,
        "the MCP-Protocol-Version is none of "
            + ProtocolVersion.allCases.map(\.rawValue).joined(separator: ", ")
            + "; send the version that initialize gave")
}

// MARK: What a message is

extension GatewayRefusal {
    static func unreadable(_ error: ScanError) -> Self {
        Self(.badRequest, code: parseError, "\(error)")
    }

    static let noMessage = Self(
        .badRequest, "the message has neither a method nor a result nor an error; send a JSON-RPC message")
    static let nullID = Self(
        .badRequest, "the id of a request must not be null; give it a string or a number, or leave it out")
    static let batchOutsideItsRevision = Self(
        .badRequest, "a batch is taken only in a session that negotiated 2025-03-26; send its messages one by one")
    static let statelessBatchOutsideItsRevision = Self(
        .badRequest, "a batch is taken only in the revision 2025-03-26; send its messages one by one")
    static let emptyBatch = Self(.badRequest, "the batch is empty; put messages into it")
    static let initializeInBatch = Self(
        .badRequest, "initialize must not stand in a batch; send it alone")

    static func batchTooLong(limit: Int) -> Self {
        Self(.badRequest, "the batch has more than \(limit) messages; send fewer at a time")
    }
}
