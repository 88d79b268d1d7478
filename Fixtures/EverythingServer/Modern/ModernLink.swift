// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Asks the client in the answer to its own request, and tells it only what that request or a listen asked for.
struct ModernLink: ClientLink {
    let listens: Listens

    func ask(_ questions: [Question], _ manner: AskingManner, _: RequestContext) async throws -> [JSONValue] {
        let exchange = try current
        let undeclared = questions.filter { !$0.isDeclared(in: exchange.envelope.capabilities) }
        guard undeclared.isEmpty else { throw Self.missing(undeclared) }
        return try exchange.answers(to: questions, isSealed: manner.contains(.sealed))
    }

    func askSupported(_ questions: [Question], _ context: RequestContext) async throws -> [(String, JSONValue)] {
        let capabilities = try current.envelope.capabilities
        let supported = questions.filter { $0.isDeclared(in: capabilities) }
        guard !supported.isEmpty else { throw Self.missing(questions) }
        return Array(zip(supported.map(\.key), try await ask(supported, [], context)))
    }

    func visit(_ url: String, message: String, isRequired _: Bool, _ context: RequestContext) async throws -> String {
        try await ask(.page("page", message, url: url), context)["action"]?.text ?? "none"
    }

    func log(_ level: LogLevel, _ data: JSONValue, _ context: RequestContext) {
        guard let least = Exchange.current?.envelope.logLevel, level >= least else { return }
        context.connection.notify("notifications/message", level.message(data))
    }

    func announce(changeOf list: String, over connection: Connection) {
        listens.announce(changeOf: list, over: connection)
    }

    func announce(updateOf uri: String, over connection: Connection) -> Bool {
        listens.announce(updateOf: uri, over: connection)
    }

    var view: ClientView {
        let envelope = Exchange.current?.envelope
        return ClientView(
            subscribed: listens.uris, level: envelope?.logLevel ?? .emergency,
            protocolVersion: envelope.map { .string($0.version) } ?? .null, info: envelope?.clientInfo ?? [:],
            capabilities: envelope?.capabilities ?? [:])
    }

    private var current: Exchange {
        get throws {
            guard let exchange = Exchange.current else { throw RPCError(-32_603, "asked outside a request") }
            return exchange
        }
    }

    /// The refusal of a request that needs what the client did not declare (MCP 2026-07-28, capabilities).
    private static func missing(_ questions: [Question]) -> RPCError {
        var required: JSONValue = [:]
        for member in questions.flatMap({ $0.required.members ?? [] }) { required[member.name] = member.value }
        let names = (required.members ?? []).map(\.name).joined(separator: ", ")
        return RPCError(
            -32_021, "the request needs a capability that the client did not declare: \(names)",
            data: ["requiredCapabilities": required])
    }
}
