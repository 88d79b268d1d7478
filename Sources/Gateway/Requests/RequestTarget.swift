// SPDX-License-Identifier: Apache-2.0

/// The path of a request, and the host that its target names where it is in absolute form (RFC 9112 section 3.2).
package struct RequestTarget: Sendable, Hashable {
    /// Without the query. Percent-encoding stays as it is: no path of ours needs any.
    package let path: String
    /// What follows the first question mark; empty without one.
    package let query: Substring
    /// The target in origin form, query included.
    package let originForm: String
    /// The host and port of a target in absolute form.
    package let authority: String?

    package init(_ uri: String) {
        let originForm: String
        if uri.utf8.first != UInt8(ascii: "/"), let separator = uri.firstRange(of: "://") {
            let rest = uri[separator.upperBound...]
            let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
            authority = String(rest[..<end])
            originForm = rest[end...].utf8.first == UInt8(ascii: "/") ? String(rest[end...]) : "/" + rest[end...]
        } else {
            authority = nil
            originForm = uri
        }
        self.originForm = originForm
        query = originForm.utf8.firstIndex(of: UInt8(ascii: "?")).map { originForm[$0...].dropFirst() } ?? ""
        path = originForm.utf8.firstIndex(of: UInt8(ascii: "?")).map { String(originForm[..<$0]) } ?? originForm
    }

    /// The first value of a query parameter as it is written, since no value of ours needs percent-encoding.
    package func parameter(_ name: String) -> String? {
        for field in query.split(separator: "&") where field.hasPrefix(name) {
            let rest = field.dropFirst(name.count)
            if rest.first == "=" { return String(rest.dropFirst()) }
        }
        return nil
    }
}
