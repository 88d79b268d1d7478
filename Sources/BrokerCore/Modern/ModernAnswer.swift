// SPDX-License-Identifier: Apache-2.0
import JSONRPC
import MCPProtocol
import NIOCore

/// A server's answer in the words of a modern client's era.
struct ModernAnswer {
    let call: PendingCall
    let request: ModernRequest
    let identity: ServerIdentity?
    /// Whether the server speaks that era itself.
    let isModern: Bool
    /// Whether the request can go on at this one upstream only, whatever its server gave with its question.
    let isPinned: Bool

    /// - Parameter seal: makes what the client brings back of what a modern server gave.
    func answer(to message: ServerMessage, server: String, seal: ([UInt8]?) -> String) -> Answer {
        let failed = message.envelope.kind == .errorResponse
        if !call.lacking.isEmpty, failed || isToolError(message) {
            return ModernError.missing(call.lacking).answer(id: call.id)
        }
        if failed { return error(message) }
        return isModern ? modernResult(message, server: server, seal: seal) : result(message, server: server)
    }

    // MARK: Results

    private static let nameless = ModernResult.Signature(serverInfo: nil)

    func result(_ message: ServerMessage, server: String) -> Answer {
        let answer = Self.plain(
            message, id: call.id, identity: identity, caching: request.method.isCacheable ? .never : nil,
            isModern: isModern)
        return answer
            ?? CallFailure.unusable(server: server, "a result that is no object").answer(to: call, withTail: false)
    }

    /// The result of a server with what it lacks; nil where it is no object.
    static func plain(
        _ message: ServerMessage, id: RawID, identity: ServerIdentity?, caching: ModernResult.Caching? = nil,
        isModern: Bool = false
    ) -> Answer? {
        let buffer = message.bytes
        let additions = ModernResult(
            message.envelope, in: buffer.readableBytesUInt8Span, caching: caching,
            signature: identity?.signature ?? nameless, isModern: isModern)
        return additions.map { .message(LodgeMessage.answer(message, id: id, adding: $0)) }
    }

    private func isToolError(_ message: ServerMessage) -> Bool {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        guard let result = message.envelope.result,
            case .value(let range) = JSONMembers.find("isError", in: bytes, object: result)
        else { return false }
        return bytes[range.lowerBound] == UInt8(ascii: "t")
    }

    // MARK: Errors

    private func error(_ message: ServerMessage) -> Answer {
        let buffer = message.bytes
        let bytes = buffer.readableBytesUInt8Span
        let code = message.envelope.errorCode.flatMap { RawID.integer(in: bytes, $0) }.map { Int($0) }
        switch code {
        case ErrorCode.resourceNotFound? where !isModern:
            return recoded(message, ErrorCode.invalidParams)
        case ErrorCode.urlElicitationRequired? where !isModern && request.method.mayAskForInput:
            return visit(data(of: message)) ?? recoded(message, ErrorCode.internalError)
        // This era has no such error.
        case ErrorCode.urlElicitationRequired? where !isModern: return recoded(message, ErrorCode.internalError)
        default: return plain(message, code: code)
        }
    }

    private func recoded(_ message: ServerMessage, _ code: Int) -> Answer {
        .failed(LodgeMessage.answer(message, id: call.id, errorCode: code), code: code)
    }

    private func plain(_ message: ServerMessage, code: Int?) -> Answer {
        .failed(LodgeMessage.answer(message, id: call.id), code: code ?? ErrorCode.internalError)
    }

    private func data(of message: ServerMessage) -> JSONValue? {
        let buffer = message.bytes
        guard let range = message.envelope.error else { return nil }
        return (try? JSONValue.parse(buffer.readableBytesUInt8Span.extracting(range)))?["data"]
    }

    /// Asks the client to have its user visit a URL, after which it sends the request again.
    private func visit(_ data: JSONValue?) -> Answer? {
        let questions = InputRequired.requests(ofURLError: data)
        guard !questions.isEmpty else { return nil }
        guard request.metadata.capabilities.contains(.elicitationURL) else {
            return ModernError.missing(.elicitationURL).answer(id: call.id)
        }
        let result = InputRequired.result(questions, state: nil, serverInfo: identity?.serverInfo)
        return .message(MessageBytes(bytes: MessageBuilder.result(id: call.id, result.serialized)))
    }

    // MARK: Caching

    /// What of an answer may be given again and for how long, by its own word.
    func cacheable(_ message: ServerMessage, _ answer: Answer) -> ([UInt8], ModernResult.Caching)? {
        guard isModern, case .message(let bytes) = answer, message.envelope.kind == .response else { return nil }
        let buffer = bytes.joined()
        let span = buffer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(span), let range = envelope.result,
            let type = envelope.resultType, JSONString.decode(span, type) == "complete",
            case .value(let time) = JSONMembers.find("ttlMs", in: span, object: range),
            let milliseconds = RawID.integer(in: span, time), milliseconds > 0,
            case .value(let word) = JSONMembers.find("cacheScope", in: span, object: range),
            let scope = JSONString.decode(span, word).flatMap(ModernResult.Caching.Scope.init(rawValue:))
        else { return nil }
        return (
            Array(copying: span.extracting(range)),
            ModernResult.Caching(milliseconds: milliseconds, scope: scope)
        )
    }
}
