// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// The requests of modern clients that a broker has to tell apart; every other one passes as it is.
enum ModernMethod: Hashable, Sendable {
    case discover, listen, listTools, listPrompts, listResources, listTemplates, readResource, callTool, getPrompt
    /// `tasks/…` of the extension for tasks.
    case task
    /// A method that this era has no more.
    case removed
    case other

    init(_ name: String) {
        self =
            switch name {
            case "server/discover": .discover
            case "subscriptions/listen": .listen
            case "tools/list": .listTools
            case "prompts/list": .listPrompts
            case "resources/list": .listResources
            case "resources/templates/list": .listTemplates
            case "resources/read": .readResource
            case "tools/call": .callTool
            case "prompts/get": .getPrompt
            case "tasks/get", "tasks/update", "tasks/cancel": .task
            case "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
                "tasks/list", "tasks/result":
                .removed
            default: .other
            }
    }

    /// Whether its result may ask for input (2026-07-28, multi round-trip requests, supported requests).
    var mayAskForInput: Bool { self == .callTool || self == .getPrompt || self == .readResource }

    /// Whether its result says how long it is good.
    var isCacheable: Bool {
        switch self {
        case .discover, .listTools, .listPrompts, .listResources, .listTemplates, .readResource: true
        case .listen, .callTool, .getPrompt, .task, .removed, .other: false
        }
    }

    /// The list whose change makes its result stale.
    var list: ListenFilter.List? {
        switch self {
        case .listTools: .tools
        case .listPrompts: .prompts
        case .listResources, .listTemplates: .resources
        case .discover, .listen, .readResource, .callTool, .getPrompt, .task, .removed, .other: nil
        }
    }
}

/// One request of a modern client, with what is known of it beside its bytes.
///
/// A class for the same reason as ``ClientMessage``.
package final class ModernRequest: Sendable {
    let message: ClientMessage
    let method: ModernMethod
    let methodName: String
    let metadata: RequestMetadata
    /// Where it goes on, for a request that was asked for input; verified.
    let state: RequestState?

    init(
        _ message: ClientMessage, method: ModernMethod, methodName: String, metadata: RequestMetadata,
        state: RequestState?
    ) {
        self.message = message
        self.method = method
        self.methodName = methodName
        self.metadata = metadata
        self.state = state
    }

    var principal: Principal { message.principal }
}

/// An error that answers a modern request.
struct ModernError: Error, Hashable, Sendable {
    let code: Int
    let message: String
    var data: JSONValue?

    func answer(id: RawID?) -> Answer {
        .failed(LodgeMessage.error(id: id, code: code, message: message, data: data), code: code)
    }

    static let staleState = ModernError(
        code: ErrorCode.invalidParams,
        message: "the requestState is invalid or has expired; send the request again without it")

    static func unknownMethod(_ name: String) -> ModernError {
        ModernError(code: ErrorCode.methodNotFound, message: "method '\(name)' is not one of this server")
    }

    static func removedMethod(_ name: String) -> ModernError {
        ModernError(
            code: ErrorCode.methodNotFound,
            message: "method '\(name)' is not one of revision \(ModernRevision.newest)")
    }

    static func ambiguous(_ member: String) -> ModernError {
        ModernError(
            code: ErrorCode.invalidRequest,
            message: "'\(member)' can be read in two ways; write it once, in its own case")
    }

    static let malformedFilter = ModernError(
        code: ErrorCode.invalidParams,
        message: "params.notifications must be an object of booleans and, for resources, a list of URIs")

    static func missing(_ capabilities: ClientCapabilities) -> ModernError {
        ModernError(
            code: ErrorCode.missingClientCapability,
            message: "the server needs something of the client that it did not declare",
            data: ["requiredCapabilities": capabilities.object])
    }
}

/// Reads modern requests of one server's clients.
struct ModernReader: Sendable {
    /// Nil leaves states closed, for an endpoint that passes them on to who gave them.
    let states: RequestStates?

    /// Reads a request; an error is its answer.
    func read(_ message: ClientMessage) -> Result<ModernRequest, ModernError> {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let envelope = message.envelope
        let metadata: RequestMetadata
        do throws(RequestMetadata.Problem) {
            metadata = try RequestMetadata(envelope, in: bytes)
        } catch {
            return .failure(ModernError(code: error.code, message: error.message, data: error.data))
        }
        guard let range = envelope.method, let name = JSONString.decode(bytes, contents: range) else {
            return .failure(.unknownMethod(""))
        }
        let method = ModernMethod(name)
        var state: RequestState?
        if let states, method.mayAskForInput, let raw = envelope.requestState {
            guard let text = JSONString.decode(bytes, raw),
                let opened = states.open(text, principal: message.principal, request: message)
            else { return .failure(.staleState) }
            state = opened
        }
        return .success(
            ModernRequest(message, method: method, methodName: name, metadata: metadata, state: state))
    }
}
