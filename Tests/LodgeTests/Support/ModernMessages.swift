// SPDX-License-Identifier: Apache-2.0

/// Messages of the modern era, as a client writes them.
enum ModernMessages {
    static let meta =
        #""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#

    static func request(_ method: String, _ params: String = "", id: String = "1") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"\#(method)","params":{\#(params.isEmpty ? "" : params + ",")\#(meta)}}"#
    }

    static func call(_ tool: String, _ arguments: String = "{}", id: String = "1") -> String {
        request("tools/call", #""name":"\#(tool)","arguments":\#(arguments)"#, id: id)
    }

    static func cancel(_ id: String) -> String {
        #"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":\#(id)}}"#
    }

    static func result(_ id: String, _ members: String = "") -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"result":{"resultType":"complete"\#(members.isEmpty ? "" : "," + members)}}"#
    }
}
