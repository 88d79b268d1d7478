// SPDX-License-Identifier: Apache-2.0
import JSONRPC

/// Finds messages that a lenient server could read as another message than the one that Lodge routes and judges.
///
/// Some JSON decoders ignore the case of member names: to them `Method` beside `method` is a second method, and `ID` a
/// second id. Exact repetitions are refused by the scanner.
enum Ambiguity {
    /// The member that can be read in two ways, as error texts spell it; nil where there is none.
    ///
    /// - Parameter isPoliced: whether there is a rule for tools that could be passed by.
    static func member(in envelope: Envelope, _ bytes: Span<UInt8>, isPoliced: Bool) -> String? {
        if let variant = envelope.variant { return variant.path }
        guard isPoliced else { return nil }
        if let params = envelope.params, JSONMembers.hasCaseVariant(of: "name", in: bytes, object: params) {
            return "params.name"
        }
        guard let method = envelope.method, let text = JSONString.decode(bytes, contents: method) else { return nil }
        // What a lenient server might trim: white space, and what ends a string in C.
        let plain = String(text.filter { !$0.isWhitespace && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 } })
        return plain.lowercased() == "tools/call" && text != "tools/call" ? "method" : nil
    }
}
