// SPDX-License-Identifier: Apache-2.0

/// How a handler answers a request.
package enum Reply: Sendable {
    /// At once, before the next message is read: requests answered so keep the order they came in.
    case now(Result<JSONValue, RPCError>)
    /// Beside everything else, and not at all once the client has cancelled the request.
    case later(Work)
    /// At once, with work that goes on after the answer and that the client cannot cancel as a request.
    case nowAndThen(Result<JSONValue, RPCError>, @Sendable () async -> Void)

    package typealias Work = @Sendable (RequestContext) async throws -> JSONValue

    package static func result(_ value: JSONValue) -> Reply { .now(.success(value)) }

    package static func error(_ error: RPCError) -> Reply { .now(.failure(error)) }
}

/// The side of a server that knows methods. Called for one message at a time, in the order they come in.
package protocol RequestHandler: Sendable {
    func reply(to request: Request, over connection: Connection) -> Reply

    func receive(notification method: String, params: JSONValue, over connection: Connection)

    /// Whether an array of messages is accepted (MCP 2025-03-26 only).
    var acceptsBatches: Bool { get }

    /// Whether `notifications/cancelled` stops a running request.
    var honoursCancellation: Bool { get }
}

extension RequestHandler {
    package func receive(notification _: String, params _: JSONValue, over _: Connection) {}

    package var acceptsBatches: Bool { false }
    package var honoursCancellation: Bool { true }
}
