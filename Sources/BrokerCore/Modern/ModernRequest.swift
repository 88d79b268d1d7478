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

    private static let names: [(StaticString, ModernMethod)] = [
        ("server/discover", .discover), ("subscriptions/listen", .listen), ("tools/list", .listTools),
        ("prompts/list", .listPrompts), ("resources/list", .listResources),
        ("resources/templates/list", .listTemplates), ("resources/read", .readResource), ("prompts/get", .getPrompt),
        ("tasks/get", .task), ("tasks/update", .task), ("tasks/cancel", .task), ("initialize", .removed),
        ("ping", .removed), ("logging/setLevel", .removed), ("resources/subscribe", .removed),
        ("resources/unsubscribe", .removed), ("tasks/list", .removed), ("tasks/result", .removed),
    ]

    init(_ envelope: Envelope, in bytes: Span<UInt8>) {
        // Almost every request is one.
        if envelope.isMethod("tools/call", in: bytes) {
            self = .callTool
        } else {
            self = Self.names.first { envelope.isMethod($0.0, in: bytes) }?.1 ?? .other
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
    let metadata: RequestMetadata
    /// Where it goes on, for a request that was asked for input; verified.
    let state: RequestState?

    init(
        _ message: ClientMessage, method: ModernMethod, metadata: RequestMetadata, state: RequestState?
    ) {
        self.message = message
        self.method = method
        self.metadata = metadata
        self.state = state
    }

    var principal: Principal { message.principal }

    /// The object of capabilities that the client declared, on one line.
    var rawCapabilities: [UInt8] {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let range = message.envelope.metaCapabilities else { return Array("{}".utf8) }
        var raw = Array(copying: bytes.extracting(range))
        LineBreaks.blank(&raw)
        return raw
    }

    /// For errors and logs.
    var methodName: String {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        return message.envelope.method.flatMap { JSONString.decode(bytes, contents: $0) } ?? ""
    }
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
            metadata = if let known = message.metadata { known } else { try RequestMetadata(envelope, in: bytes) }
        } catch {
            return .failure(ModernError(code: error.code, message: error.message, data: error.data))
        }
        let method = ModernMethod(envelope, in: bytes)
        var state: RequestState?
        if let states, method.mayAskForInput, let raw = envelope.requestState {
            guard let text = JSONString.decode(bytes, raw),
                let opened = states.open(text, principal: message.principal, request: message)
            else { return .failure(.staleState) }
            state = opened
        }
        return .success(
            ModernRequest(message, method: method, metadata: metadata, state: state))
    }
}
