// SPDX-License-Identifier: Apache-2.0
import BrokerCore
import JSONRPC

@testable import Gateway

let modernRevision = "2026-07-28"

/// A request of 2026-07-28 with the metadata that it needs.
///
/// - Parameters:
///   - params: members in front of `_meta`.
///   - meta: members of `_meta` behind the version.
func modern(
    _ id: Int, _ method: String = "tools/list", params: [String] = [], version: String = #""2026-07-28""#,
    meta: [String] = [#""io.modelcontextprotocol/clientCapabilities":{}"#]
) -> String {
    let members = [#""io.modelcontextprotocol/protocolVersion":\#(version)"#] + meta
    let all = params + [#""_meta":{\#(members.joined(separator: ","))}"#]
    return #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(all.joined(separator: ","))}}"#
}

/// The headers that repeat what such a request says.
func copies(
    _ method: String? = "tools/list", name: String? = nil, version: String? = modernRevision
) -> [(
    String, String
)] {
    [("MCP-Protocol-Version", version), ("Mcp-Method", method), ("Mcp-Name", name)].compactMap { header, value in
        value.map { (header, $0) }
    }
}

func failure(_ code: Int, _ message: String, id: Int, data: String? = nil) -> String {
    let data = data.map { #","data":\#($0)"# } ?? ""
    return #"{"jsonrpc":"2.0","id":\#(id),"error":{"code":\#(code),"message":"\#(message)"\#(data)}}"#
}

extension FakeRelay {
    /// A server that answers every request at once with the era it came in and the session it names.
    static func tellingEras() -> FakeRelay {
        FakeRelay { message, sink in
            guard message.envelope.kind == .request else { return nil }
            let era = message.isModern ? "modern" : "legacy"
            let text = Array(#""\#(era), \#(message.session ?? "no session")""#.utf8)
            sink.finish(.message(MessageBytes(bytes: MessageBuilder.result(id: message.id ?? RawID(0), text))))
            return .pending(CallTicket {})
        }
    }
}
