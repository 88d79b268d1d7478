// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import MCPProtocol
import NIOCore

/// One request or notification of the modern era on its way to the server; the session that delivers it holds one while
/// it does.
struct ModernCall: Sendable {
    let number: Int
    /// The client's id, which the server sees as it is; nil for a notification.
    let id: RawID?
    let method: String
    let bytes: ByteBuffer
    /// What mirrors the body in headers, parameters of tools excepted (2026-07-28, basic/transports/streamable-http,
    /// Request Metadata).
    let fields: [HTTPField]
    /// Set once the next message may be started.
    let started = Arrival<Void>()
    /// Set once the client no longer wants the answer.
    let cancelled = Arrival<Void>()
    /// Set once there is an answer.
    let answered = Arrival<Void>()

    /// Why a message cannot be sent, and with which code its sender is told.
    struct Unsendable: Error {
        let code: Int
        let message: String
    }

    /// Whether its stream is meant to stay open, so that nobody waits for its end.
    var isSubscription: Bool { method == "subscriptions/listen" }

    init(number: Int, _ bytes: ByteBuffer, _ envelope: Envelope) throws(Unsendable) {
        let span = bytes.readableBytesUInt8Span
        func text(_ range: Range<Int>?) -> String? { range.flatMap { JSONString.decode(span, $0) } }
        let method = envelope.method.flatMap { JSONString.decode(span, contents: $0) } ?? ""
        // A version or method that needs the encoding has none: the specification has it for names and parameters only.
        guard let version = text(envelope.metaProtocolVersion), HeaderValue.encode(version) == version else {
            throw Unsendable(
                code: -32602,
                message: "the protocol version in _meta is none that a header can carry; name a revision of MCP")
        }
        guard HeaderValue.encode(method) == method else {
            throw Unsendable(code: -32601, message: "the method is none that a header can carry; use printable ASCII")
        }
        var fields = [HTTPField("MCP-Protocol-Version", version), HTTPField("Mcp-Method", method)]
        let named: String? =
            switch NamedMethod.member(of: method) {
            case "name": text(envelope.name)
            case "uri": text(envelope.uri)
            case "taskId": text(envelope.taskID)
            default: nil
            }
        if let named { fields.append(HTTPField("Mcp-Name", HeaderValue.encode(named))) }
        id = envelope.kind == .request ? envelope.id.map { RawID(span, $0) } : nil
        (self.number, self.method, self.bytes, self.fields) = (number, method, bytes, fields)
    }
}
