// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// What a tool or a prompt may ask of the client and tell it, in the way of the era; it does not answer the request.
protocol ClientLink: Sendable {
    /// Asks all questions together and answers what the client said, in their order.
    ///
    /// Throws what the request is to be answered with when the client cannot be asked, or not yet.
    func ask(_ questions: [Question], _ manner: AskingManner, _ context: RequestContext) async throws -> [JSONValue]

    /// Asks those of the questions that the client can answer, and answers what it said to which key.
    func askSupported(_ questions: [Question], _ context: RequestContext) async throws -> [(String, JSONValue)]

    /// Sends the user to a page and answers what the user did (`accept`, `decline` or `cancel`).
    func visit(_ url: String, message: String, isRequired: Bool, _ context: RequestContext) async throws -> String

    /// Sends a log message, if the client wants messages of that level.
    func log(_ level: LogLevel, _ data: JSONValue, _ context: RequestContext)

    /// Says that the list of `tools`, `prompts` or `resources` changed.
    func announce(changeOf list: String, over connection: Connection)

    /// Says that a resource changed, and answers whether anybody wanted to know.
    func announce(updateOf uri: String, over connection: Connection) -> Bool

    /// What the server knows of the client that sent the request at hand.
    var view: ClientView { get }
}

extension ClientLink {
    func ask(_ question: Question, _ context: RequestContext) async throws -> JSONValue {
        try await ask(question, [], context)
    }

    func ask(_ question: Question, _ manner: AskingManner, _ context: RequestContext) async throws -> JSONValue {
        try await ask([question], manner, context).first ?? [:]
    }
}

/// How questions are asked.
struct AskingManner: OptionSet {
    let rawValue: Int

    /// Legacy: the key of the question is the id of the request.
    static let named = AskingManner(rawValue: 1)
    /// Legacy: asked whatever the client has declared.
    static let unchecked = AskingManner(rawValue: 2)
    /// Modern: with a `requestState`, even when there is nothing to remember yet.
    static let sealed = AskingManner(rawValue: 4)
}

/// What is known of a client.
struct ClientView {
    var subscribed: Set<String>
    var level: LogLevel
    /// Null before it is agreed on.
    var protocolVersion: JSONValue
    var info: JSONValue
    var capabilities: JSONValue
}
