// SPDX-License-Identifier: Apache-2.0

/// The name of a server: a path, an alias, a container name and a tool prefix at once.
///
/// Its form is `[a-z0-9]([a-z0-9-]*[a-z0-9])?`, at most 32 characters, so it needs escaping in none of those places.
package struct ServerName: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// The longest name, in characters.
    package static let maximumLength = 32
    /// The name that no server can have, because it stands for all of them.
    package static let reserved = "all"

    /// The name of a server when there is nothing to make one of.
    package static let server = ServerName(valid: "server")

    package let text: String

    /// Takes a name that has the form already; throws otherwise, with a name that would do.
    package init(_ text: String) throws(ConfigurationError) {
        guard Self.isValid(text) else {
            let proposal = Self.slug(of: text).map { "; '\($0)' would do" } ?? ""
            throw ConfigurationError(
                .name,
                "server name '\(text)' cannot be used; use at most 32 of a-z, 0-9 and -,"
                    + " with a letter or digit first and last\(proposal)")
        }
        guard text != Self.reserved else { throw Self.isReserved(text) }
        self.text = text
    }

    /// The refusal of a name that is, or would become, the reserved one.
    static func isReserved(_ text: String, at location: SourceLocation? = nil) -> ConfigurationError {
        ConfigurationError(
            .name, "server name '\(text)' stands for all servers together; choose another name", at: location)
    }

    private init(valid text: String) { self.text = text }

    /// Makes a name from any text: lower case, every other run of characters one `-`, cut to 32; nil if nothing is
    /// left, or only the reserved name.
    package static func slug(of text: String) -> ServerName? {
        var slug = ""
        for scalar in text.lowercased().unicodeScalars {
            if isLetterOrDigit(scalar) {
                slug.unicodeScalars.append(scalar)
            } else if !slug.isEmpty, !slug.hasSuffix("-") {
                slug.append("-")
            }
        }
        slug = String(slug.prefix(maximumLength))
        while slug.hasSuffix("-") { slug.removeLast() }
        return slug.isEmpty || slug == reserved ? nil : ServerName(valid: slug)
    }

    package static func < (left: ServerName, right: ServerName) -> Bool { left.text < right.text }

    package var description: String { text }

    private static func isValid(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, let last = text.unicodeScalars.last else { return false }
        return text.unicodeScalars.count <= maximumLength && isLetterOrDigit(first) && isLetterOrDigit(last)
            && text.unicodeScalars.allSatisfy { isLetterOrDigit($0) || $0 == "-" }
    }

    private static func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar)
    }
}
