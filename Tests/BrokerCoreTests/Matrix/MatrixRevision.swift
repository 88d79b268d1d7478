// SPDX-License-Identifier: Apache-2.0
import MCPProtocol

/// A released revision of the protocol, as a column of the matrix.
enum MatrixRevision: String, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"
    case july2026 = "2026-07-28"

    var era: Era { self == .july2026 ? .modern : .legacy }

    static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    static func since(_ first: Self) -> Set<Self> { Set(allCases.filter { $0 >= first }) }
    static func legacy(since first: Self = .november2024) -> Set<Self> { since(first).subtracting([.july2026]) }
}

/// One row of the matrix: a message, and the revisions that have it.
struct MatrixMessage {
    enum Kind {
        case clientRequest, clientNotification, serverRequest, serverNotification
    }

    let kind: Kind
    let method: String
    /// What tells two rows of one method apart.
    var detail = ""
    let revisions: Set<MatrixRevision>
    var params = "{}"

    var title: String { detail.isEmpty ? "`\(method)`" : "`\(method)` \(detail)" }

    static let all = clientRequests + clientNotifications + serverRequests + serverNotifications

    private static let clientRequests = [
        MatrixMessage(kind: .clientRequest, method: "initialize", revisions: .legacy),
        MatrixMessage(kind: .clientRequest, method: "server/discover", revisions: [.july2026]),
        MatrixMessage(kind: .clientRequest, method: "ping", revisions: .legacy),
        MatrixMessage(kind: .clientRequest, method: "tools/list", revisions: .every),
        MatrixMessage(kind: .clientRequest, method: "tools/call", revisions: .every, params: #"{"name":"t"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "tools/call", detail: "as a task", revisions: [.november2025],
            params: #"{"name":"t","task":{}}"#),
        MatrixMessage(kind: .clientRequest, method: "resources/list", revisions: .every),
        MatrixMessage(kind: .clientRequest, method: "resources/templates/list", revisions: .every),
        MatrixMessage(kind: .clientRequest, method: "resources/read", revisions: .every, params: #"{"uri":"a:1"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "resources/subscribe", revisions: .legacy, params: #"{"uri":"a:1"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "resources/unsubscribe", revisions: .legacy, params: #"{"uri":"a:1"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "subscriptions/listen", revisions: [.july2026],
            params: #"{"notifications":{"resourceSubscriptions":["a:1"]}}"#),
        MatrixMessage(kind: .clientRequest, method: "prompts/list", revisions: .every),
        MatrixMessage(kind: .clientRequest, method: "prompts/get", revisions: .every, params: #"{"name":"p"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "completion/complete", revisions: .every,
            params: #"{"ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":"b"}}"#),
        MatrixMessage(
            kind: .clientRequest, method: "logging/setLevel", revisions: .legacy, params: #"{"level":"debug"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "tasks/get", revisions: [.november2025, .july2026],
            params: #"{"taskId":"k"}"#),
        MatrixMessage(
            kind: .clientRequest, method: "tasks/result", revisions: [.november2025], params: #"{"taskId":"k"}"#),
        MatrixMessage(kind: .clientRequest, method: "tasks/list", revisions: [.november2025]),
        MatrixMessage(
            kind: .clientRequest, method: "tasks/update", revisions: [.july2026],
            params: #"{"taskId":"k","inputResponses":{}}"#),
        MatrixMessage(
            kind: .clientRequest, method: "tasks/cancel", revisions: [.november2025, .july2026],
            params: #"{"taskId":"k"}"#),
    ]

    private static let clientNotifications = [
        MatrixMessage(kind: .clientNotification, method: "notifications/initialized", revisions: .legacy),
        MatrixMessage(
            kind: .clientNotification, method: "notifications/cancelled", revisions: .every,
            params: #"{"requestId":7}"#),
        MatrixMessage(
            kind: .clientNotification, method: "notifications/progress", revisions: .legacy,
            params: #"{"progressToken":1,"progress":1}"#),
        MatrixMessage(kind: .clientNotification, method: "notifications/roots/list_changed", revisions: .legacy),
        MatrixMessage(
            kind: .clientNotification, method: "notifications/tasks/status", revisions: [.november2025],
            params: #"{"taskId":"k","status":"working"}"#),
    ]

    private static let serverRequests = [
        MatrixMessage(kind: .serverRequest, method: "ping", revisions: .legacy),
        MatrixMessage(
            kind: .serverRequest, method: "sampling/createMessage", revisions: .every,
            params: #"{"messages":[],"maxTokens":1}"#),
        MatrixMessage(kind: .serverRequest, method: "roots/list", revisions: .every),
        MatrixMessage(
            kind: .serverRequest, method: "elicitation/create", detail: "by a form",
            revisions: MatrixRevision.since(.june2025),
            params: #"{"message":"m","requestedSchema":{"type":"object","properties":{}}}"#),
        MatrixMessage(
            kind: .serverRequest, method: "elicitation/create", detail: "by a URL",
            revisions: MatrixRevision.since(.november2025),
            params: #"{"mode":"url","message":"m","url":"https://example.com","elicitationId":"e"}"#),
    ]

    private static let serverNotifications = [
        MatrixMessage(
            kind: .serverNotification, method: "notifications/progress", revisions: .every,
            params: #"{"progressToken":TICKET,"progress":1}"#),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/message", revisions: .every,
            params: #"{"level":"error","data":"d"}"#),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/tools/list_changed", revisions: .every),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/prompts/list_changed", revisions: .every),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/resources/list_changed", revisions: .every),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/resources/updated", revisions: .every,
            params: #"{"uri":"a:1"}"#),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/elicitation/complete", revisions: [.november2025],
            params: #"{"elicitationId":"e"}"#),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/tasks/status", revisions: [.november2025],
            params: #"{"taskId":"k","status":"working"}"#),
        MatrixMessage(
            kind: .serverNotification, method: "notifications/tasks", revisions: [.july2026],
            params: #"{"taskId":"k","status":"working"}"#),
    ]
}

extension Set<MatrixRevision> {
    static let every = MatrixRevision.since(.november2024)
    static let legacy = MatrixRevision.legacy()
}
