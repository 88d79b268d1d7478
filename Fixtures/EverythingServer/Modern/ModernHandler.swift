// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Sends each method of the modern era to the feature that answers it; it never asks the client anything by itself.
struct ModernHandler: Sendable {
    let session: Session
    let listens = Listens()
    private let tasks = ModernTasks()
    let paging: Paging
    let hint: CacheHint
    private let link: ModernLink
    private let tools: [Tool]

    init(session: Session, paging: Paging, hint: CacheHint, holds: Holds) {
        self.session = session
        self.paging = paging
        self.hint = hint
        link = ModernLink(listens: listens)
        tools = Catalogue.tools(session, link, holds) + [Self.endSubscriptions(listens), Self.askingTask(link)]
    }

    func reply(to request: Request, over connection: Connection) -> Reply {
        let params = request.params
        // A client that knows only the handshake learns which revisions there are (MCP 2026-07-28, versioning).
        if request.method == "initialize", !Envelope.isThere(in: params) {
            return .error(Envelope.unsupported(params["protocolVersion"]?.text ?? ""))
        }
        do throws(RPCError) {
            let exchange = try Exchange(request, Envelope(params))
            return try reply(to: request, exchange, over: connection)
        } catch {
            return .error(error)
        }
    }

    private func reply(
        to request: Request, _ exchange: Exchange, over connection: Connection
    ) throws(RPCError) -> Reply {
        let params = request.params
        return switch request.method {
        case "server/discover": kept(.success(Self.discovery))
        case "tools/list": kept(paging.page(listedTools, as: "tools", params))
        case "resources/list": kept(paging.page(Resources.list(session), as: "resources", params))
        case "resources/templates/list": kept(paging.page(Resources.templates, as: "resourceTemplates", params))
        case "resources/read": kept(Resources.read(params, session, absence: -32_602))
        case "prompts/list": kept(paging.page(Prompts.list(session), as: "prompts", params))
        case "prompts/get" where AskingPrompt.isNamed(in: params):
            work(exchange) { try await AskingPrompt.get(link, $0) }
        case "prompts/get": .now(Prompts.get(params, session).map(Self.completed))
        case "completion/complete": .now(Completions.complete(params).map(Self.completed))
        case "tools/call": try call(request, exchange, over: connection)
        case "subscriptions/listen": try listen(request, over: connection)
        default: try replyToTask(request, exchange.envelope)
        }
    }

    private func kept(_ outcome: Result<JSONValue, RPCError>) -> Reply {
        .now(hint.added(to: outcome).map(Self.completed))
    }

    private func call(
        _ request: Request, _ exchange: Exchange, over connection: Connection
    ) throws(RPCError) -> Reply {
        let params = request.params
        let name = params["name"]?.text ?? ""
        guard let tool = presentTools.first(where: { $0.name == name }) else {
            throw .invalidParams("unknown tool '\(name)'")
        }
        let isTask = Self.taskTools.contains(name) && ModernTasks.isDeclared(in: exchange.envelope.capabilities)
        guard isTask else { return work(exchange) { try await tool.result(params, $0) } }
        return tasks.start(request, exchange, over: connection) { try await tool.result(params, $0) }
    }

    /// The tools that answer with a task where the client knows of tasks.
    private static let taskTools: Set = ["slow_task", "asking_task"]

    private func replyToTask(_ request: Request, _ envelope: Envelope) throws(RPCError) -> Reply {
        guard let result = try tasks.reply(to: request, envelope) else { throw .unknownMethod(request.method) }
        return .result(Self.completed(result))
    }

    /// Work that may ask the client, and then is answered with what it asks.
    private func work(_ exchange: Exchange, _ body: @escaping Reply.Work) -> Reply {
        .later { context in
            var context = context
            context.completing = Self.completed
            do {
                let result = try await Exchange.$current.withValue(exchange) { [context] in try await body(context) }
                return Self.completed(result)
            } catch let required as InputRequired {
                return Self.completed(required.result)
            }
        }
    }

    /// A listen is answered only when the server ends it, and then in order (MCP 2026-07-28, graceful closure).
    private func listen(_ request: Request, over connection: Connection) throws(RPCError) -> Reply {
        let ending = try listens.begin(request, over: connection)
        return .later { _ in
            for await _ in ending {}
            let result = Self.completed(["_meta": Listens.meta(request.id)])
            guard Task.isCancelled else { return result }
            // The client's cancellation has closed it before; what is still open ends with the server.
            guard listens.close(request.id) else { throw CancellationError() }
            connection.writer.write(Message.answer(to: request.id, .success(result)))
            throw AnswerSent()
        }
    }

    private var presentTools: [Tool] { tools + (session.read(\.hasDynamicTool) ? [ChangeTools.dynamicTool] : []) }

    private var listedTools: [JSONValue] {
        presentTools.map { tool in
            var definition = tool.definition
            // Of the tasks of 2025-11-25 only.
            definition["execution"] = nil
            return definition
        }
    }

    private static func endSubscriptions(_ listens: Listens) -> Tool {
        Tool("end_subscriptions", "Ends every open subscription from the server's side") { _, _ in
            .content(.text("ended \(listens.endAll())"))
        }
    }
    private static func askingTask(_ link: ModernLink) -> Tool {
        Tool("asking_task", "Asks the user, as a task if the client knows of tasks") { _, context in
            let answer = try await link.ask(.form("user_name", "What is your name?", field: "name"), context)
            return .content(.text("User response: action=\(answer["action"]?.text ?? "none")"))
        }
    }
}
