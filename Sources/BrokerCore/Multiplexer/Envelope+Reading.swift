// SPDX-License-Identifier: Apache-2.0
package import JSONRPC
import MCPProtocol

extension Envelope {
    /// Whether the message's method is this one, however it was written.
    package func isMethod(_ name: StaticString, in bytes: Span<UInt8>) -> Bool {
        guard let method else { return false }
        guard methodHasEscapes || method.count == name.utf8CodeUnitCount else { return false }
        return JSONString.equals(bytes, contents: method, name)
    }

    /// The text of a raw string value; nil where it is absent or not a string.
    package func string(_ raw: Range<Int>?, in bytes: Span<UInt8>) -> String? {
        raw.flatMap { JSONString.decode(bytes, $0) }
    }

    /// Bytes of the message for a log line, cut at 1,024 bytes.
    package func text(_ range: Range<Int>?, in bytes: Span<UInt8>) -> String {
        guard let range else { return "" }
        let shown = range.lowerBound..<min(range.upperBound, range.lowerBound + 1024)
        return String(decoding: Array(copying: bytes.extracting(shown)), as: UTF8.self)
    }

    /// The method, and the tool, prompt or resource that it names.
    func label(in bytes: Span<UInt8>, principal: Principal) -> CallLabel {
        CallLabel(
            method: text(method, in: bytes), name: string(name, in: bytes) ?? string(uri, in: bytes),
            principal: principal)
    }

    /// The level of `logging/setLevel`; nil where it is not one of the protocol's.
    func logLevel(in bytes: Span<UInt8>) -> LogLevel? {
        string(level, in: bytes).flatMap(LogLevel.init(rawValue:))
    }
}
