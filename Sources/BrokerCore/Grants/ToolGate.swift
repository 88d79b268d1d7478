// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// Finds messages that a lenient server could read as another call than the one that a policy was asked about.
///
/// Some JSON decoders ignore the case of member names: to them `Method` beside `method` is a second method. Exact
/// repetitions are refused by the scanner for every server; these only where a policy stands to be passed by.
enum ToolGate {
    /// The member that can be read in two ways, as error texts spell it; nil where there is none.
    static func ambiguity(in envelope: Envelope, _ bytes: Span<UInt8>) -> String? {
        for name in ["method", "params"]
        where JSONMembers.hasCaseVariant(of: name, in: bytes, object: envelope.value) { return name }
        if let params = envelope.params, JSONMembers.hasCaseVariant(of: "name", in: bytes, object: params) {
            return "params.name"
        }
        guard let method = envelope.method, let text = JSONString.decode(bytes, contents: method) else { return nil }
        let plain = String(text.filter { !$0.isWhitespace }).lowercased()
        return plain == "tools/call" && text != "tools/call" ? "method" : nil
    }
}
