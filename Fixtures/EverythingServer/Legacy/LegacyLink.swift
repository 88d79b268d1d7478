// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Asks the client with requests of the server's own, and tells it what the session asked for.
struct LegacyLink: ClientLink {
    let session: Session

    func ask(_ questions: [Question], _ manner: AskingManner, _ context: RequestContext) async throws -> [JSONValue] {
        if !manner.contains(.unchecked) {
            for question in questions where !isDeclared(question) {
                throw ToolFailure("the client does not support \(question.capability)")
            }
        }
        let wishes = questions.map { Wish($0.method, $0.params, name: manner.contains(.named) ? $0.key : nil) }
        let answers = try await context.connection.ask(wishes)
        return try zip(questions, answers).map { question, answer in
            try answer.mapError { error in
                ToolFailure("the client refused \(question.method): \(error.message) (\(error.code))")
            }.get()
        }
    }

    /// One after the other, and an error of the client is passed over: behind a broker, what was declared when the
    /// process was started need not be what the client of this call can do.
    func askSupported(_ questions: [Question], _ context: RequestContext) async throws -> [(String, JSONValue)] {
        let supported = questions.filter(isDeclared)
        guard !supported.isEmpty else {
            let names = questions.map(\.capability).joined(separator: " or ")
            throw ToolFailure("the client does not support \(names)")
        }
        var answers: [(String, JSONValue)] = []
        for question in supported {
            let wish = Wish(question.method, question.params, name: question.key)
            guard case .success(let answer) = try await context.connection.ask([wish]).first else { continue }
            answers.append((question.key, answer))
        }
        return answers
    }

    func visit(_ url: String, message: String, isRequired: Bool, _ context: RequestContext) async throws -> String {
        let id: JSONValue = .string("\(isRequired ? "required" : "elicitation")-\(context.id.json)")
        let page = Question.page("page", message, url: url, id: id)
        guard !isRequired else {
            let pages = page.params.map { [$0] } ?? []
            throw RPCError(-32_042, "a page must be visited first", data: ["elicitations": .array(pages)])
        }
        guard session.read(\.clientCapabilities)["elicitation"]?["url"] != nil else {
            throw ToolFailure("the client does not support elicitation by url")
        }
        let action = try await ask(page, context)["action"]?.text ?? "none"
        if action == "accept" { context.connection.notify("notifications/elicitation/complete", ["elicitationId": id]) }
        return action
    }

    func log(_ level: LogLevel, _ data: JSONValue, _ context: RequestContext) {
        guard level >= session.read(\.level) else { return }
        context.connection.notify("notifications/message", level.message(data))
    }

    func announce(changeOf list: String, over connection: Connection) {
        connection.notify("notifications/\(list)/list_changed")
    }

    func announce(updateOf uri: String, over connection: Connection) -> Bool {
        guard session.read(\.subscribed).contains(uri) else { return false }
        connection.notify("notifications/resources/updated", ["uri": .string(uri)])
        return true
    }

    var view: ClientView {
        let state = session.update { $0 }
        return ClientView(
            subscribed: state.subscribed, level: state.level,
            protocolVersion: state.revision.map { .string($0.rawValue) } ?? .null, info: state.clientInfo,
            capabilities: state.clientCapabilities)
    }

    private func isDeclared(_ question: Question) -> Bool {
        session.read(\.clientCapabilities)[question.capability] != nil
    }
}
