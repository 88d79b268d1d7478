// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC
import NIOCore

extension ClientMessage {
    /// A client's message as a transport would hand it over, from its text.
    static func of(
        _ json: String, session: String? = nil, principal: Principal = .anonymous
    ) throws -> ClientMessage {
        let bytes = ByteBuffer(string: json)
        return ClientMessage(
            bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span), session: session,
            principal: principal)
    }
}

extension ServerMessage {
    /// A server's message as an upstream would hand it over, from its text.
    static func of(_ json: String) throws -> ServerMessage {
        let bytes = ByteBuffer(string: json)
        return ServerMessage(bytes: bytes, envelope: try MessageScanner.scan(bytes.readableBytesUInt8Span))
    }

    /// A part of the message as it was written.
    func raw(_ range: Range<Int>?) -> String {
        let buffer = bytes
        return envelope.text(range, in: buffer.readableBytesUInt8Span)
    }

    /// A string in the message, unescaped.
    func string(_ range: Range<Int>?) -> String? {
        let buffer = bytes
        return envelope.string(range, in: buffer.readableBytesUInt8Span)
    }
}

extension MessageBytes {
    /// The message without the framing of a line.
    var text: String {
        let all = String(buffer: joined())
        return isLine && all.last == "\n" ? String(all.dropLast()) : all
    }
}

/// Messages that many tests need; their contents are of no interest.
enum Sample {
    static let initialize = initialize(id: "0")

    static func initialize(id: String, version: String = "2025-11-25") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"initialize","params":{"protocolVersion":"\#(version)","#
            + #""capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#
    }

    /// What Lodge itself sends, under the first ticket.
    static func ownInitialize(ticket: Int) -> String {
        #"{"jsonrpc":"2.0","id":\#(ticket),"method":"initialize","params":{"protocolVersion":"2025-11-25","#
            + #""capabilities":{},"clientInfo":{"name":"lodge","version":"9.9.9"}}}"#
    }

    static func initializeAnswer(id: String, version: String = "2025-11-25", capabilities: String = "{}") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"protocolVersion":"\#(version)","#
            + #""capabilities":\#(capabilities),"serverInfo":{"name":"fake","version":"1"}}}"#
    }

    static let initialized = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#

    static func call(id: String, tool: String = "echo") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)"}}"#
    }

    static func answer(id: String, _ result: String = #"{"content":[]}"#) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":\#(result)}"#
    }

    static func subscribe(id: String, uri: String = "a:1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/subscribe","params":{"uri":"\#(uri)"}}"#
    }

    static func unsubscribe(id: String, uri: String = "a:1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"resources/unsubscribe","params":{"uri":"\#(uri)"}}"#
    }

    static func setLevel(id: String, _ level: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"logging/setLevel","params":{"level":"\#(level)"}}"#
    }

    static func empty(id: String) -> String { #"{"jsonrpc":"2.0","id":\#(id),"result":{}}"# }

    static func cancelled(_ id: String, reason: String = "enough") -> String {
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id),"reason":"\#(reason)"}}"#
    }
}
