// SPDX-License-Identifier: Apache-2.0
import HTTPTransport
import JSONRPC
import NIOCore

/// Lodge's own `tools/list` in the name of a client whose call did not fit the tool any more.
struct ToolListRequest: Sendable {
    let id: RawID
    let bytes: ByteBuffer
    let fields: [HTTPField]

    /// Asks as the client of this call does: its version, its capabilities, and no progress.
    ///
    /// - Parameter cursor: the raw cursor of the page; nil for the first.
    init?(for call: ModernCall, page: Int, cursor: [UInt8]?) {
        let span = call.bytes.readableBytesUInt8Span
        guard let envelope = try? MessageScanner.scan(span), let range = envelope.meta,
            case .object(let members)? = try? JSONValue.parse(span.extracting(range))
        else { return nil }
        let own = members.filter {
            $0.name.hasPrefix("io.modelcontextprotocol/") && $0.name != "io.modelcontextprotocol/logLevel"
        }
        var params = Array(#"{"_meta":"#.utf8) + JSONValue.object(own).serialized
        if let cursor { params += Array(#","cursor":"#.utf8) + cursor }
        params.append(UInt8(ascii: "}"))
        // Of two calls that ask at the same time each has ids of its own.
        id = RawID(string: "lodge-tools-\(call.number)-\(page)")
        bytes = ByteBuffer(bytes: MessageBuilder.request(id: id, method: "tools/list", params: params))
        fields = call.fields.filter { $0.name == "MCP-Protocol-Version" } + [HTTPField("Mcp-Method", "tools/list")]
    }
}
