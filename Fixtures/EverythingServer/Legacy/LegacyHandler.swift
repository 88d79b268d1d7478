// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// Sends each method of the handshake revisions to the feature that answers it.
struct LegacyHandler: Sendable {
    let session: Session
    let tasks = TaskStore()
    let paging: Paging
    private let link: LegacyLink
    private let tools: [Tool]

    init(session: Session, paging: Paging, holds: Holds) {
        self.session = session
        self.paging = paging
        link = LegacyLink(session: session)
        tools = Catalogue.tools(session, link, holds) + [ClientTools.ping]
    }

    var acceptsBatches: Bool { session.read(\.revision) == .march2025 }

    func reply(to request: Request, over connection: Connection) -> Reply {
        let params = request.params
        guard Self.methods.contains(request.method) else { return .error(.unknownMethod(request.method)) }
        guard session.read(\.revision) != nil || ["initialize", "ping"].contains(request.method) else {
            return .error(.invalidRequest("'\(request.method)' came before 'initialize'"))
        }
        return switch request.method {
        case "initialize": .result(session.initialize(params))
        case "logging/setLevel": .now(session.setLevel(params))
        case "tools/list": .now(paging.page(listedTools, as: "tools", params))
        case "tools/call": call(request, over: connection)
        case "resources/list": .now(paging.page(Resources.list(session), as: "resources", params))
        case "resources/templates/list": .now(paging.page(Resources.templates, as: "resourceTemplates", params))
        case "resources/read": .now(Resources.read(params, session, absence: -32_002))
        case "resources/subscribe": .now(session.subscribe(params))
        case "resources/unsubscribe": .now(session.unsubscribe(params))
        case "prompts/list": .now(paging.page(Prompts.list(session), as: "prompts", params))
        case "prompts/get" where AskingPrompt.isNamed(in: params): .later { try await AskingPrompt.get(link, $0) }
        case "prompts/get": .now(Prompts.get(params, session))
        case "completion/complete": .now(Completions.complete(params))
        case let method where method.hasPrefix("tasks/"): reply(toTask: method, params, over: connection)
        default: .result([:])
        }
    }

    private static let methods: Set = [
        "initialize", "ping", "logging/setLevel", "tools/list", "tools/call", "resources/list",
        "resources/templates/list", "resources/read", "resources/subscribe", "resources/unsubscribe", "prompts/list",
        "prompts/get", "completion/complete", "tasks/get", "tasks/result", "tasks/list", "tasks/cancel",
    ]

    /// All tools, with the one that comes and goes.
    private var listedTools: [JSONValue] {
        let dynamic = session.read(\.hasDynamicTool) ? [ChangeTools.dynamicTool] : []
        let definitions = (tools + dynamic).map(\.definition)
        guard session.read(\.revision) != .november2025 else { return definitions }
        return definitions.map { definition in
            var older = definition
            older["execution"] = nil
            return older
        }
    }

    private func call(_ request: Request, over connection: Connection) -> Reply {
        let params = request.params
        let name = params["name"]?.text ?? ""
        let dynamic = session.read(\.hasDynamicTool) ? [ChangeTools.dynamicTool] : []
        guard let tool = (tools + dynamic).first(where: { $0.name == name }) else {
            return .error(.invalidParams("unknown tool '\(name)'"))
        }
        guard let wish = params["task"], session.read(\.revision) == .november2025 else {
            return .later { try await tool.result(params, $0) }
        }
        guard tool.definition["execution"]?["taskSupport"]?.text == "optional" else {
            return .error(RPCError(-32_601, "tool '\(name)' cannot be called as a task"))
        }
        return tasks.start(wish, request, over: connection) { try await tool.result(params, $0) }
    }

    private func reply(toTask method: String, _ params: JSONValue, over connection: Connection) -> Reply {
        guard session.read(\.revision) == .november2025 else { return .error(.unknownMethod(method)) }
        if method == "tasks/list" { return .now(paging.page(tasks.list(), as: "tasks", params)) }
        guard let id = params["taskId"]?.text else { return .error(.invalidParams("'taskId' must be a string")) }
        return switch method {
        case "tasks/get": .now(tasks.status(of: id))
        case "tasks/cancel": .now(tasks.cancel(id, over: connection))
        default: .later { _ in try await tasks.result(of: id) }
        }
    }
}
