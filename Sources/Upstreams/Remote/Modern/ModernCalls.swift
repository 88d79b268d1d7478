// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import MCPProtocol
import NIOCore

/// The open requests of the modern era, and what is known of the server's tools.
///
/// A part of ``RemoteConversation``, and as pure; the handshake's side knows nothing of it. A request is open until it
/// was answered, failed or cancelled, whichever is first: then nothing is said of it any more.
struct ModernCalls: Sendable {
    /// What to do with a message that came in the response to a call.
    enum Receipt: Sendable {
        /// Pass it on.
        case pass(ByteBuffer)
        /// The call's answer.
        ///
        /// - Parameter code: that of an error.
        case answer(ByteBuffer, code: Int?)
        /// The server's notification that a subscription is over, which is its end.
        case end(ByteBuffer)
        /// It is none that the response may have; why.
        case drop(String)
    }

    private var open: [Int: ModernCall] = [:]
    private var last = 0
    private var tools: [String: ParameterHeaders] = [:]
    private var warned: Set<String> = []

    /// Whether there was any.
    var wereSeen: Bool { last > 0 }
    /// Whether somebody waits for an answer; the end of a subscription is nothing that one waits for.
    var areAwaited: Bool { open.values.contains { !$0.isSubscription } }

    mutating func enter(_ bytes: ByteBuffer, _ envelope: Envelope) throws(ModernCall.Unsendable) -> ModernCall {
        last += 1
        let call = try ModernCall(number: last, bytes, envelope)
        if call.id != nil { open[call.number] = call }
        return call
    }

    func isOpen(_ call: ModernCall) -> Bool { open[call.number] != nil }

    /// Ends a call; answers whether it was open.
    mutating func end(_ call: ModernCall) -> Bool { open.removeValue(forKey: call.number) != nil }

    /// Ends the calls of this id, which their client no longer wants, and answers them.
    mutating func cancel(_ id: RawID) -> [ModernCall] {
        let cancelled = open.values.filter { $0.id == id }
        for call in cancelled { open[call.number] = nil }
        return cancelled
    }

    // MARK: From the server

    /// What a message is to the call in whose response it came.
    static func judge(_ bytes: ByteBuffer, _ envelope: Envelope, for id: RawID) -> Receipt {
        let span = bytes.readableBytesUInt8Span
        switch envelope.kind {
        case .notification:
            let line = RemoteConversation.line(bytes, envelope)
            let isEnd =
                envelope.method.map { JSONString.equals(span, contents: $0, "notifications/cancelled") } ?? false
            return isEnd && envelope.requestID.map { RawID(span, $0) } == id ? .end(line) : .pass(line)
        case .response, .errorResponse:
            let code = envelope.errorCode.flatMap { range in
                Int(String(decoding: Array(copying: span.extracting(range)), as: UTF8.self))
            }
            if !envelope.idIsNull, let range = envelope.id {
                guard RawID(span, range) == id else { return .drop("it answers another call") }
                return .answer(RemoteConversation.line(bytes, envelope), code: code)
            }
            guard let answer = RemoteFailure.addressed(bytes, to: id) else { return .drop("it answers no call") }
            return .answer(answer, code: code)
        case .request: return .drop("a server asks nothing in this era")
        case .batch: return .drop("there are no batches in this era")
        case .invalid, .notAnObject: return .drop("it is no JSON-RPC message")
        }
    }

    // MARK: Headers of tools' parameters

    /// Learns what a listing says; answers which of the dropped tools the user has not been told of.
    mutating func learn(_ listing: ToolListing) -> [ToolListing.Dropped] {
        for (name, headers) in listing.headers { tools[name] = headers.isEmpty ? nil : headers }
        return listing.dropped.filter { warned.insert($0.name + "\0" + $0.problem).inserted }
    }

    /// Everything that mirrors a call's body in headers, by what is known now.
    func fields(of call: ModernCall) -> [HTTPField] {
        let span = call.bytes.readableBytesUInt8Span
        guard call.method == "tools/call", let envelope = try? MessageScanner.scan(span),
            let name = envelope.name.flatMap({ JSONString.decode(span, $0) }), let headers = tools[name],
            let range = envelope.params, let params = try? JSONValue.parse(span.extracting(range))
        else { return call.fields }
        return call.fields + headers.fields(for: params["arguments"]).map { HTTPField($0.name, $0.value) }
    }
}
