// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import NIOCore

/// Why a call to a remote server got no answer, as its caller is told.
struct RemoteFailure: Error, Sendable {
    /// As `data.reason` spells it.
    enum Reason: String, Sendable {
        case unreachable, unauthorized, forbidden, refused
        case redirected
        case streamBroken = "stream-broken"
        case sessionEnded = "session-ended"
        case unusableAnswer = "unusable-answer"
        case stopped
    }

    let reason: Reason
    let message: String
    let hint: String
    /// The HTTP status that says so, if one does.
    var status: Int?
    /// The server's own error response, which says more than its status.
    var answer: ByteBuffer?

    /// Whether the server's own error has a code that only servers of 2026-07-28 use.
    var isOfModernEra: Bool {
        guard let bytes = answer?.readableBytesUInt8Span, let envelope = try? MessageScanner.scan(bytes),
            let range = envelope.errorCode
        else { return false }
        let code = Int(String(decoding: Array(copying: bytes.extracting(range)), as: UTF8.self))
        return code.map { (-32022)...(-32020) ~= $0 } ?? false
    }

    /// The message that ends a call.
    func message(for call: RawID) -> ByteBuffer {
        if let answer, let own = Self.addressed(answer, to: call) { return own }
        var data: [JSONValue.Member] = [
            .init("reason", .string(reason.rawValue)), .init("hint", .string(hint)),
        ]
        if let status { data.append(.init("status", .number(.init(Int64(status))))) }
        return ByteBuffer(
            bytes: MessageBuilder.error(
                id: call, code: -32000, message: message, data: JSONValue.object(data).serialized))
    }

    /// The server's error with the id of the call that it is the answer to; the server may not have known it.
    static func addressed(_ answer: ByteBuffer, to call: RawID) -> ByteBuffer? {
        let bytes = answer.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(bytes), envelope.kind == .errorResponse,
            let error = envelope.error
        else { return nil }
        if let id = envelope.id, RawID(bytes, id) == call { return RemoteConversation.line(answer, envelope) }
        var whole = Array(#"{"jsonrpc":"2.0","id":"#.utf8) + call.array + Array(#","error":"#.utf8)
        whole += Array(copying: bytes.extracting(error)) + [UInt8(ascii: "}")]
        LineBreaks.blank(&whole)
        return ByteBuffer(bytes: whole)
    }
}

extension RemoteFailure {
    init(_ error: HTTPTransportError, _ server: WebAddress) {
        switch error.reason {
        case .unreachable, .unusableSettings:
            self.init(
                reason: .unreachable, message: "the server at \(server.origin) cannot be reached: \(error.message)",
                hint: "check the URL, the network and the proxy variables; the call was not sent")
        case .broken:
            self.init(
                reason: .streamBroken, message: "the connection to \(server.origin) broke: \(error.message)",
                hint: "the server may have acted on the call; look before you repeat it")
        case .redirected:
            self.init(
                reason: .redirected, message: error.message,
                hint: "use the address that it redirects to, if you trust it")
        case .cancelled: self = .stopped
        }
    }

    static let stopped = RemoteFailure(
        reason: .stopped, message: "the call was given up because lodge connect ends",
        hint: "keep the input open until the answer is there")

    static let sessionEnded = RemoteFailure(
        reason: .sessionEnded, message: "the server has ended the session, and a new one could not be begun",
        hint: "start the client's connection anew")

    static let broken = RemoteFailure(
        reason: .streamBroken, message: "the server's event stream ended before the answer came",
        hint: "the server may have acted on the call; look before you repeat it")

    static let subscriptionBroken = RemoteFailure(
        reason: .streamBroken, message: "the subscription's event stream ended without its result",
        hint: "send subscriptions/listen anew; what happened meanwhile is not told")

    static func tooLong(_ limit: Int) -> RemoteFailure {
        let text = limit % (1 << 20) == 0 ? "\(limit >> 20) MiB" : "\(limit) bytes"
        return RemoteFailure(
            reason: .unusableAnswer, message: "the server's answer is over the limit of \(text)",
            hint: "ask for less at a time")
    }

    static func unusable(_ problem: String) -> RemoteFailure {
        RemoteFailure(
            reason: .unusableAnswer, message: "the server's answer cannot be used: \(problem)",
            hint: "check that the URL is that of an MCP endpoint")
    }

    /// A status that refuses a message.
    static func refused(_ status: Int, answer: ByteBuffer? = nil) -> RemoteFailure {
        switch status {
        case 401:
            RemoteFailure(
                reason: .unauthorized, message: "the server wants another authorization than it was given (401)",
                hint: "put a token into an environment variable and name it with --token-env", status: status)
        case 403:
            RemoteFailure(
                reason: .forbidden, message: "the server does not allow this (403)",
                hint: "use a token that may do it, and name its variable with --token-env", status: status)
        default:
            RemoteFailure(
                reason: .refused, message: "the server refused the message with the HTTP status \(status)",
                hint: "check that the URL is that of an MCP endpoint, and --transport", status: status, answer: answer)
        }
    }
}
