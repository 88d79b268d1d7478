// SPDX-License-Identifier: Apache-2.0

/// Which of the two forms of an answer a client takes, as its `Accept` says (RFC 9110 section 12.5.1).
package struct MediaTypes: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let json = MediaTypes(rawValue: 1)
    package static let eventStream = MediaTypes(rawValue: 2)
    package static let both: MediaTypes = [.json, .eventStream]

    /// Reads one `Accept` value; ranges with a weight of zero admit nothing, other weights do not matter.
    package init(accept value: String) {
        if value == "application/json, text/event-stream" {
            self = .both
            return
        }
        self = []
        for element in value.utf8.split(separator: UInt8(ascii: ",")) {
            var parts = element.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).makeIterator()
            let range = ASCIIText.trimmed(parts.next() ?? element)
            var isExcluded = false
            while let parameter = parts.next() {
                isExcluded = isExcluded || Self.isZeroWeight(ASCIIText.trimmed(parameter))
            }
            if !isExcluded { formUnion(Self.admitted(by: range)) }
        }
    }

    private static func admitted(by range: Substring.UTF8View) -> MediaTypes {
        if ASCIIText.equals(range, lowercase: "*/*") { return .both }
        if ASCIIText.equals(range, lowercase: "application/json") { return .json }
        if ASCIIText.equals(range, lowercase: "application/*") { return .json }
        if ASCIIText.equals(range, lowercase: "text/event-stream") { return .eventStream }
        if ASCIIText.equals(range, lowercase: "text/*") { return .eventStream }
        return []
    }

    /// Whether a parameter is `q=0`, `q=0.0` and so on.
    private static func isZeroWeight(_ parameter: Substring.UTF8View) -> Bool {
        guard let equals = parameter.firstIndex(of: UInt8(ascii: "=")),
            ASCIIText.equals(ASCIIText.trimmed(parameter[..<equals]), lowercase: "q")
        else { return false }
        let weight = ASCIIText.trimmed(parameter[parameter.index(after: equals)...])
        return !weight.isEmpty && weight.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
    }

    /// Whether a `Content-Type` is JSON, whatever its parameters.
    static func isJSON(contentType: String) -> Bool {
        if contentType == "application/json" { return true }
        let value = contentType[...].utf8
        let type = value.firstIndex(of: UInt8(ascii: ";")).map { value[..<$0] } ?? value
        return ASCIIText.equals(ASCIIText.trimmed(type), lowercase: "application/json")
    }
}
